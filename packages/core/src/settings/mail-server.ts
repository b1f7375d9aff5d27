import { type AppError, userError } from '@huitou/plugin-api'
import { z } from 'zod'
import type { Db } from '../db/database.ts'
import { findSetting, writeSetting } from './brand.ts'

/** The server that Huitou's own mails go through: alerts, not messages to customers. */
export interface MailServer {
  host: string
  port: number
  /** `tls` from the first byte, `starttls` before anything is said, `none` for a server on the same machine. */
  security: 'tls' | 'starttls' | 'none'
  /** Empty where nobody signs in. */
  user: string
  password: string
  from: string
  fromName: string
}

/** Seals what must not lie readable in the database. */
export interface MailBox {
  seal(text: string): string
  open(sealed: string): string
}

/** One address, and nothing that would end a line of a header. */
export const Address = z
  .string()
  .trim()
  .max(254)
  .regex(/^[^\s@<>(),;:"\\]+@[^\s@<>(),;:"\\]+$/, 'an e-mail address')

export const MailServerChange = z.object({
  host: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[\w.:-]+$/, 'a host name or an address'),
  port: z.int().min(1).max(65_535),
  security: z.enum(['tls', 'starttls', 'none']),
  user: z.string().trim().max(200).default(''),
  /** Left out, it stays as it is. */
  password: z.string().max(500).optional(),
  from: Address,
  fromName: z
    .string()
    .trim()
    .max(100)
    .regex(/^[^\r\n]*$/, 'one line')
    .default(''),
})
export type MailServerChange = z.infer<typeof MailServerChange>

const NAME = 'mail-server'

/** Sets up where Huitou's own mails go through, and reads it. */
export class MailSettings {
  readonly #db: Db
  readonly #box: MailBox
  /** From the environment: whoever runs the server decided. */
  readonly #given: MailServer | undefined

  constructor(db: Db, box: MailBox, given: MailServer | undefined) {
    this.#db = db
    this.#box = box
    this.#given = given
  }

  /** The server with its password; undefined where none is set up. */
  async find(): Promise<MailServer | undefined> {
    if (this.#given) return this.#given
    const stored = await this.#stored()
    return stored && { ...stored, password: stored.password && this.#box.open(stored.password) }
  }

  /** What people may see of it. */
  async view() {
    const server = this.#given ?? (await this.#stored())
    if (!server) return null
    const { password, ...rest } = server
    return { ...rest, hasPassword: password !== '', isGiven: this.#given !== undefined }
  }

  async write({ password, ...change }: MailServerChange): Promise<void> {
    if (this.#given)
      throw userError('E_MAIL_GIVEN', 'The mail server is set in the environment of the server', {
        status: 409,
        hint: 'Change HUITOU_MAIL_URL and HUITOU_MAIL_FROM, and start again.',
      })
    const stored = await this.#stored()
    // A password is for the server it was entered for: elsewhere it would be given away.
    const isSame = stored?.host === change.host && stored.user === change.user
    const kept = isSame ? stored.password : ''
    await writeSetting(this.#db, NAME, {
      ...change,
      password: password === undefined ? kept : password && this.#box.seal(password),
    })
  }

  async remove(): Promise<void> {
    await this.#db.deleteFrom('settings').where('name', '=', NAME).execute()
  }

  /** With the password as it is stored. */
  async #stored(): Promise<MailServer | undefined> {
    return (await findSetting(this.#db, NAME)) as MailServer | undefined
  }
}

export function noMailServer(): AppError {
  return userError('E_MAIL_MISSING', 'No mail server is set up', {
    status: 409,
    hint: 'Enter one under Settings → Alerts → Who is told.',
  })
}
