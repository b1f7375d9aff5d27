import type { Tx } from '../db/database.ts'
import type { Person } from '../journeys/people.ts'
import { maskIdentifier, maskValue } from '../people/masking.ts'

/** Shorter values stand in texts by accident. */
const SHORTEST = 4

/**
 * A function that makes of a message what may be kept and shown of it: the words as they went out, with the
 * customer's own personal data masked wherever it stands.
 */
export async function contentMasker(
  tx: Tx,
): Promise<(content: Record<string, unknown>, person: Person) => Record<string, unknown>> {
  const personal = await tx
    .selectFrom('profile_columns')
    .select(['name', 'logical'])
    .where('pii', '=', 1)
    .where('logical', '!=', 'name')
    .execute()
  return (content, { profile, identifiers }) => {
    const masks = new Map<string, string>()
    const hide = (value: string, mask: string) => {
      if (value.length < SHORTEST || value === mask) return
      masks.set(value, mask)
      masks.set(encodeURIComponent(value), encodeURIComponent(mask))
    }
    for (const { name, logical } of personal) {
      const value = profile?.[name]
      if (typeof value === 'string') hide(value, String(maskValue(value, { pii: true, logical })))
    }
    for (const identifier of identifiers) {
      const mask = maskIdentifier(identifier)
      hide(identifier.value, mask)
      if (identifier.kind === 'phone') hide(identifier.value.replace(/^\+86/, ''), mask)
    }
    // The longest first: a phone number without its country is part of the one with it.
    const ordered = [...masks].toSorted(([a], [b]) => b.length - a.length)
    return maskTexts(content, ordered) as Record<string, unknown>
  }
}

function maskTexts(value: unknown, masks: readonly (readonly [string, string])[]): unknown {
  if (typeof value === 'string') return masks.reduce((text, [own, mask]) => text.replaceAll(own, mask), value)
  if (Array.isArray(value)) return value.map((entry) => maskTexts(entry, masks))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, maskTexts(entry, masks)]))
}
