import type { EventTypeContribution } from '@huitou/plugin-api'
import { isGranted, type Need, type Reader } from './grants.ts'

/** Properties that hold personal data in events of any type, whether somebody declared them or not. */
const EVERYWHERE = [
  'phone',
  'mobile',
  'tel',
  'email',
  'address',
  'birthday',
  'receiver',
  'receiver_name',
  'receiver_phone',
  'receiver_address',
  'shipping_address',
  'billing_address',
  'id_card',
]

/** Paths of properties with personal data, in events of any type, that the reader may not see. */
export function hiddenEverywhere(reader: Reader): string[] {
  return EVERYWHERE.filter((path) => !maySee(reader, path))
}

/** Further paths that the type declares as personal and that the reader may not see. */
export function hiddenIn(reader: Reader, type: EventTypeContribution): string[] {
  return (type.pii ?? []).filter((path) => !EVERYWHERE.includes(path) && !maySee(reader, path))
}

/** What the reader lacks to ask about the property at `path` of an event of one of these types. */
export function refusedProperty(
  reader: Reader,
  types: readonly EventTypeContribution[],
  path: string,
): Need | undefined {
  const hidden = [...hiddenEverywhere(reader), ...types.flatMap((type) => hiddenIn(reader, type))]
  const found = hidden.find(
    (other) => `${path}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${path}.`),
  )
  return found === undefined ? undefined : { permission: 'profile.pii', name: lastStep(found) }
}

/** A property is granted by its own name: `buyer.phone` by `phone`. */
function maySee(reader: Reader, path: string): boolean {
  return isGranted(reader, 'profile.pii', lastStep(path))
}

function lastStep(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}
