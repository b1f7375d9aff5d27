/** A text message that a provider took. */
export interface SentSms {
  id: string
  phone: string
  signature: string
  template: string
  parameters: readonly string[] | Readonly<Record<string, string>>
  /** What the sender gave along and gets back. */
  reference: string
  at: number
  state: 'waiting' | 'delivered' | 'failed'
  /** The carriers' word, such as `DELIVERED` or `MK:0001`. */
  report: string
  reportedAt?: number
}

export interface SmsTemplate {
  /** `${name}` for Aliyun, `{1}` for Tencent. */
  text: string
  marketing?: boolean
}

export interface SmsWorld {
  signatures: readonly string[]
  templates: Readonly<Record<string, SmsTemplate>>
  /** Numbers that asked not to be written to. */
  blacklist?: Iterable<string>
  /** Messages that the balance pays for; endless if absent. */
  balance?: number
  now?(): number
}

/** What a provider of text messages remembers: what it took, for whom, and what the carriers said. */
export class SmsLedger {
  readonly sent: SentSms[] = []
  readonly blacklist: Set<string>
  readonly replies: { phone: string; text: string; at: number; signature: string; id: string }[] = []
  readonly now: () => number
  readonly signatures: ReadonlySet<string>
  readonly templates: Readonly<Record<string, SmsTemplate>>
  balance: number
  #reported = 0
  #replied = 0

  constructor({ signatures, templates, blacklist = [], balance = Infinity, now = Date.now }: SmsWorld) {
    this.signatures = new Set(signatures)
    this.templates = templates
    this.blacklist = new Set(blacklist)
    this.balance = balance
    this.now = now
  }

  take(message: Omit<SentSms, 'id' | 'at' | 'state' | 'report'>): SentSms {
    const at = this.now()
    const id = `${at}${String(this.sent.length).padStart(6, '0')}^0`
    const sms: SentSms = { ...message, id, at, state: 'waiting', report: '' }
    this.sent.push(sms)
    this.balance--
    return sms
  }

  /** Messages to the number within the last `ms`. */
  countSince(phone: string, ms: number): number {
    const since = this.now() - ms
    return this.sent.filter((sms) => sms.phone === phone && sms.at > since).length
  }

  /** Carriers report on every waiting message: all arrive, but those whose number has another word. */
  settle(reports: Readonly<Record<string, string>> = {}): void {
    for (const sms of this.sent.filter(({ state }) => state === 'waiting')) {
      const report = reports[sms.phone]
      sms.state = report === undefined ? 'delivered' : 'failed'
      sms.report = report ?? 'DELIVERED'
      sms.reportedAt = this.now()
    }
  }

  reply(phone: string, text: string): void {
    const signature = this.sent.findLast((sms) => sms.phone === phone)?.signature ?? ''
    const id = String(this.replies.length + 1)
    this.replies.push({ phone, text, at: this.now(), signature, id })
  }

  /** Reports that were not handed out yet. */
  takeReports(): SentSms[] {
    const settled = this.sent.filter(({ state }) => state !== 'waiting')
    const fresh = settled.slice(this.#reported)
    this.#reported = settled.length
    return fresh
  }

  takeReplies() {
    const fresh = this.replies.slice(this.#replied)
    this.#replied = this.replies.length
    return fresh
  }

  /** Numbers that got more than one message with the same reference: nobody may. */
  twice(): string[] {
    const seen = Map.groupBy(this.sent, ({ phone, reference }) => `${phone} ${reference}`)
    return [...seen].flatMap(([key, messages]) => (messages.length > 1 ? [key] : []))
  }
}
