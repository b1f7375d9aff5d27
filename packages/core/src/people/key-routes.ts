import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import type { KeysInUse, PersonalKeys } from '../personal-keys.ts'
import { audit } from './audit.ts'

/** Where the installation's secret stands. */
export type SecretPlace = 'environment' | 'file'

const NONE: KeysInUse = { keys: [], open: 0, isEstimate: false, work: null }

/** Mounted at `/api/settings/personal-keys`. */
export function personalKeyRoutes({
  database,
  clock,
  keys,
  secretIn,
}: Pick<CoreContext, 'database' | 'clock'> & {
  keys: PersonalKeys | undefined
  secretIn: SecretPlace | undefined
}) {
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({
        tags: ['settings'],
        summary: 'Keys that personal data is sealed with, and how much with which',
      }),
      async (c) => c.json({ ...(keys ? await keys.look() : NONE), secretIn: secretIn ?? null }),
    )
    .post(
      '/rotate',
      describeRoute({ tags: ['settings'], summary: 'Seal personal data with a new key, the old one going' }),
      async (c) => {
        if (!keys)
          throw userError('E_NOT_SEALED', 'Personal data is not sealed in this database', { status: 409 })
        const id = await keys.rotate()
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'settings.rotate-keys',
          subject: id,
        })
        return c.json({ id, keys: await keys.list() }, 202)
      },
    )
}
