import { createHash } from 'node:crypto'
import { AppError } from '@huitou/plugin-api'

/** Strongest first; what is weaker proves nothing. */
const ALGORITHMS = ['sha512', 'sha384', 'sha256']

/**
 * Throws `E_REGISTRY_INTEGRITY` unless `bytes` are those that `integrity` (subresource integrity, as npm writes it)
 * was made from.
 */
export function checkIntegrity(bytes: Uint8Array, integrity: unknown, what: string): void {
  const stated = typeof integrity === 'string' ? integrity.trim().split(/\s+/) : []
  const algorithm = ALGORITHMS.find((name) => stated.some((hash) => hash.startsWith(`${name}-`)))
  if (algorithm === undefined) {
    throw new AppError('world', 'E_REGISTRY_INTEGRITY', `The registry does not say what ${what} should be`, {
      hint: 'Publish it again; registries keep a SHA-512 of what is published today.',
    })
  }
  const actual = `${algorithm}-${createHash(algorithm).update(bytes).digest('base64')}`
  if (stated.some((hash) => hash.split('?')[0] === actual)) return
  throw new AppError('world', 'E_REGISTRY_INTEGRITY', `${what} is not what the registry says it should be`, {
    hint: 'Download it again; when it stays so, something on the way changes it.',
    details: { actual },
  })
}
