import { type CustomerKey, type CustomerRef, permissionError, userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { normalizeIdentifier } from '../identity/identifiers.ts'
import { isGranted, type Reader } from '../points/grants.ts'
import { lookupsOf } from '../people/identifier-lookup.ts'
import { sameText } from '../people/sealed-conditions.ts'
import { personalKind, visibleKey } from '../profiles/visible-key.ts'

type Context = Pick<CoreContext, 'database'>

/**
 * The customer that a plugin means; undefined when there is none. An id that went up into another customer's finds
 * that one. Asking by personal data takes the grant for it: the answer says whether somebody has that number.
 */
export async function findCustomer(
  { database }: Context,
  reader: Reader,
  key: CustomerKey,
): Promise<CustomerRef | undefined> {
  const { db, engine } = database
  const query = db
    .selectFrom('profiles')
    .select(['profiles.customer_id as id', visibleKey(reader, { engine, table: 'profiles' }).as('key')])
  if ('id' in key) {
    if (!Number.isSafeInteger(key.id)) throw userError('E_CUSTOMER_KEY', 'A customer’s id is a whole number')
    return await query
      .where('profiles.customer_id', '=', (row) =>
        row.selectFrom('identifiers').select('identifiers.customer_id').where('identifiers.id', '=', key.id),
      )
      .executeTakeFirst()
  }
  if ('identifier' in key) {
    const { kind, value } = key.identifier
    requireGrant(reader, kind)
    const normal = normalizeIdentifier(kind, value)
    if (normal === undefined) return undefined
    return await query
      .innerJoin('identifiers', 'identifiers.customer_id', 'profiles.customer_id')
      .where(
        sql<string>`coalesce(identifiers.lookup, identifiers.value)`,
        'in',
        lookupsOf(database.vault, normal),
      )
      .where('identifiers.kind', '=', kind)
      .executeTakeFirst()
  }
  if (typeof key.key !== 'string') throw userError('E_CUSTOMER_KEY', 'A customer’s key is a text')
  const [, hidden] = /^#(\d{1,15})$/.exec(key.key) ?? []
  const personal = personalKind(key.key)
  if (personal) requireGrant(reader, personal)
  return await query
    .innerJoin('identifiers', 'identifiers.customer_id', 'profiles.customer_id')
    .where((row) =>
      hidden === undefined
        ? row(
            sql<string>`coalesce(identifiers.lookup, identifiers.value)`,
            'in',
            lookupsOf(database.vault, key.key),
          ).and(sameText(database.vault, sql`profiles.key`, [key.key]))
        : row('profiles.customer_id', '=', Number(hidden)),
    )
    .orderBy(sql`profiles.customer_id`)
    .limit(1)
    .executeTakeFirst()
}

function requireGrant(reader: Reader, kind: string): void {
  if (!isGranted(reader, 'profile.pii', kind)) throw permissionError(reader.id, 'profile.pii', kind)
}
