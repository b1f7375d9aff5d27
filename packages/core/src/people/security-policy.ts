import type { Db, Tx } from '../db/database.ts'
import { findSetting, writeSetting } from '../settings/brand.ts'

export interface SecurityPolicy {
  /** Everybody who signs in with a password needs a second factor. */
  requireTwoFactor: boolean
}

const NAME = 'security'

export async function readSecurity(db: Db | Tx): Promise<SecurityPolicy> {
  const kept = (await findSetting(db, NAME)) as Partial<SecurityPolicy> | undefined
  return { requireTwoFactor: kept?.requireTwoFactor === true }
}

export async function writeSecurity(db: Db | Tx, policy: SecurityPolicy): Promise<void> {
  await writeSetting(db, NAME, policy)
}
