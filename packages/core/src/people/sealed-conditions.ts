import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { HEAD_LENGTH, type Vault } from './vault.ts'

/**
 * Whether a text of the database is one of `values`, sealed or not. A sealed one is compared in its normalised form: a
 * phone number in any spelling, an e-mail address in either case.
 */
export function sameText(
  vault: Vault,
  text: RawBuilder<unknown>,
  values: readonly string[],
): RawBuilder<SqlBool> {
  const plain = sql<SqlBool>`${text} in (${sql.join(values)})`
  if (!vault.isOpen) return plain
  const heads = values.flatMap((value) => vault.headsOf(value))
  return sql<SqlBool>`(${plain} or substr(${text}, 1, ${sql.lit(HEAD_LENGTH)}) in (${sql.join(heads)}))`
}
