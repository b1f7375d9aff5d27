import type { Vault } from './vault.ts'

/** What stands beside a sealed identifier so that it is found: a digest of it, and one of a phone's last four digits. */
export function lookupCells(vault: Vault, value: string): { lookup: string | null; tail: string | null } {
  if (!vault.seals(value)) return { lookup: null, tail: null }
  return { lookup: vault.digestsOf(value)[0] ?? null, tail: vault.tailOf(value) ?? null }
}

/**
 * What `coalesce(lookup, value)` of an identifier may be: sealed under any key in use, or not sealed yet. Values are
 * given as `normalizeIdentifier` leaves them.
 */
export function lookupsOf(vault: Vault, value: string): string[] {
  return vault.seals(value) ? [...vault.digestsOf(value), value] : [value]
}
