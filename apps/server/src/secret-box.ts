import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AppError } from '@huitou/plugin-api'

const PREFIX = 'sealed:1:'

/** Seals short texts, such as plugins' secret settings, so that a copy of the database does not give them away. */
export interface SecretBox {
  seal(text: string): string
  /** Throws `E_SECRET_SEALED` when the text was sealed under another secret. */
  open(sealed: string): string
  isSealed(value: unknown): value is string
}

/** AES-256-GCM under a key made from the installation's secret. */
export function createSecretBox(secret: string): SecretBox {
  const key = Buffer.from(hkdfSync('sha256', secret, 'huitou', 'plugin secrets', 32))
  return {
    seal(text) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return PREFIX + sealed.toString('base64url')
    },
    open(sealed) {
      try {
        const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url')
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
        decipher.setAuthTag(bytes.subarray(-16))
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new AppError(
          'user',
          'E_SECRET_SEALED',
          'A stored secret was sealed under another secret than this installation has',
          {
            hint: 'Start with the HUITOU_SECRET (or the data folder’s file "secret") that it was stored with, or enter the secret again.',
            cause,
          },
        )
      }
    },
    isSealed: (value): value is string => typeof value === 'string' && value.startsWith(PREFIX),
  }
}
