import type { DeliveryResult, LookUpResult, Receipt, SettingsVerdict } from '@huitou/plugin-api'
import type { LoggedSms } from './message-log.ts'

export type AccountSettings = Readonly<Record<string, unknown>>

/** One text, checked, to one number as `+86…`. */
export interface Sms {
  key: string
  phone: string
  template: string
  parameters: Readonly<Record<string, string>>
}

/** What somebody wrote back; providers do not say to which message. */
export interface Reply {
  phone: string
  text: string
  at: number
}

export interface News {
  receipts: Receipt[]
  replies: Reply[]
}

/** What differs from one company to another. Methods that ask throw when there is no answer. */
export interface Provider {
  readonly id: 'aliyun' | 'tencent'
  /** What is missing in the settings, by field. */
  missing(settings: AccountSettings): string | undefined
  send(sms: Sms, settings: AccountSettings, now: number): Promise<DeliveryResult>
  /** What the provider knows of messages that are in the log, and of replies where it can be asked. */
  poll(messages: readonly LoggedSms[], settings: AccountSettings, now: number): Promise<News>
  lookUp(
    message: { key: string; phone: string; at: number },
    settings: AccountSettings,
    now: number,
  ): Promise<LookUpResult>
  /** What a request to the webhook holds; undefined for nonsense. */
  readNews(body: unknown, now: number): News | undefined
  /** What the provider wants to hear when it was understood. */
  readonly thanks: unknown
  verify(settings: AccountSettings, now: number): Promise<SettingsVerdict>
}
