import { randomBytes } from 'node:crypto'
import type { Huitou } from '@huitou/plugin-api'
import type { EmailSettings } from './channel.ts'

type Source = Pick<Huitou<{ settings: EmailSettings }>, 'settings' | 'storage'>

const PREFIX = 'mail-secret:'

/** What mails of ours are called by: signed with one secret, known by all that were ever used here. */
export class MailSecrets {
  readonly #huitou: Source
  #own: Promise<string[]> | undefined

  constructor(huitou: Source) {
    this.#huitou = huitou
  }

  /** The owner's token, or one that was made here: nobody has to set a token whose bounces are fetched. */
  async signing(): Promise<string> {
    return this.#huitou.settings.inboundToken ?? (await this.#stored())[0]!
  }

  async all(): Promise<string[]> {
    const { inboundToken } = this.#huitou.settings
    return [...(inboundToken ? [inboundToken] : []), ...(await this.#stored())]
  }

  async #stored(): Promise<string[]> {
    this.#own ??= this.#read()
    try {
      return await this.#own
    } catch (error) {
      this.#own = undefined
      throw error
    }
  }

  /** Two servers that begin at once each make one; both are known from then on. */
  async #read(): Promise<string[]> {
    const { storage } = this.#huitou
    if ((await storage.list(PREFIX)).length === 0)
      await storage.set(`${PREFIX}${randomBytes(6).toString('hex')}`, randomBytes(24).toString('base64url'))
    const names = await storage.list(PREFIX)
    const values = await Promise.all(names.map((name) => storage.get<string>(name)))
    return values.filter((value) => value !== undefined)
  }
}
