import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Db } from '../db/database.ts'
import type { MailBox } from '../settings/mail-server.ts'
import { findSetting, writeSetting } from '../settings/brand.ts'

/** Who reads behind an address: a program that takes JSON, or the robot of a chat group. */
export const WEBHOOK_KINDS = ['json', 'wecom', 'dingtalk', 'feishu'] as const
export type WebhookKind = (typeof WEBHOOK_KINDS)[number]

/** Hosts that the robots of chat groups live at. */
export const ROBOT_HOSTS: Readonly<Record<string, WebhookKind>> = {
  'qyapi.weixin.qq.com': 'wecom',
  'oapi.dingtalk.com': 'dingtalk',
  'open.feishu.cn': 'feishu',
  'open.larksuite.com': 'feishu',
}

/** What an address is, going by its host. */
export function guessKind(address: string): WebhookKind {
  return ROBOT_HOSTS[URL.parse(address)?.hostname ?? ''] ?? 'json'
}

/** An address without what opens it, for those who may look and not change. */
export const withoutKey = (address: string) => (address === '' ? '' : `${new URL(address).origin}/…`)

/** What a robot or a program proves with that a message comes from here. Left out, it stays; empty, there is none. */
export const WebhookSecret = z.string().trim().max(500).optional()

const NAME = 'alert-webhook-secret'

/** The secret of the address that alerts are told at: kept sealed, and for that address alone. */
export class WebhookSecrets {
  readonly #db: Db
  readonly #box: MailBox

  constructor(db: Db, box: MailBox) {
    this.#db = db
    this.#box = box
  }

  /** Empty where the address has none: a secret that was entered for another one would be given away. */
  async find(address: string): Promise<string> {
    const stored = await this.#stored()
    return stored?.address === digest(address) ? this.#box.open(stored.secret) : ''
  }

  async has(address: string): Promise<boolean> {
    return (await this.#stored())?.address === digest(address)
  }

  async write(address: string, secret: string): Promise<void> {
    if (secret === '' || address === '') {
      await this.#db.deleteFrom('settings').where('name', '=', NAME).execute()
      return
    }
    await writeSetting(this.#db, NAME, { address: digest(address), secret: this.#box.seal(secret) })
  }

  async #stored(): Promise<{ address: string; secret: string } | undefined> {
    return (await findSetting(this.#db, NAME)) as { address: string; secret: string } | undefined
  }
}

const digest = (address: string) => createHash('sha256').update(address).digest('base64url')
