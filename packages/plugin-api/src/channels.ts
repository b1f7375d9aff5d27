import type { JsonSchema, LocalizedText, WebhookContribution } from './contributions.ts'
import type { RunContext } from './plugin.ts'
import type { WebhookAnswer, WebhookRequest } from './sources.ts'

/**
 * How much a channel promises. `pushed`: the provider delivers (SMS, e-mail). `confirmed`: an employee has to press
 * send, and the result is polled. `windowed`: only within some hours of what the customer did last. `credit`: each
 * message uses up a subscription that the customer gave.
 */
export type ChannelGuarantee = 'pushed' | 'confirmed' | 'windowed' | 'credit'

/** What a provider reports after it took a message. */
export type ReceiptKind =
  | 'delivered'
  | 'read'
  | 'clicked'
  | 'replied'
  | 'bounced'
  | 'complained'
  | 'unsubscribed'
  | 'failed'

/** A way to reach a customer. Implemented with `huitou.channels.register(id, …)`. */
export interface ChannelContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Lucide icon name. */
  icon?: string
  /** Kinds of message it carries, for instance `text`, `html`, `image`, `card`, `mini_program`. */
  messages: string[]
  guarantee: ChannelGuarantee
  /**
   * The provider itself remembers keys: the same key sent again reaches the customer once. Without it a message whose
   * fate is not known is never sent again; `lookUp`, `poll` or a receipt has to tell.
   */
  idempotent?: boolean
  /** It reaches nobody: messages stay in Huitou, where people look at them and answer in the customer's name. */
  sandbox?: boolean
  /** Kind of identifier that a message goes to, for instance `phone`, `email`, `wecom_external_userid`. */
  address: string
  receipts?: ReceiptKind[]
  /**
   * Each account is polled every so many seconds, at least 10, with no message in `pending`: for a provider that keeps
   * what it has to tell in one place, such as a mailbox. If absent, `poll` is asked about messages that were sent.
   */
  pollSeconds?: number
  /**
   * Events of a customer that open the window of a `windowed` channel (anything the customer does, if absent), or each
   * of which gives one message of a `credit` channel.
   */
  openedBy?: string[]
  /** When somebody who has to confirm messages of a `confirmed` channel is reminded, and when somebody else is asked. */
  confirm?: {
    /** 4 if absent; never more than three times in 24 hours. */
    remindAfterHours?: number
    /** 24 if absent. */
    reassignAfterHours?: number
  }
  limits?: {
    /** Messages in one call of `send`; 100 if absent. */
    batchSize?: number
    perSecond?: number
    perDay?: number
    /** Messages that one customer may get a day. */
    perCustomerPerDay?: number
    /** Length of a text, in characters. */
    textLength?: number
    /** How long a window stays open, for `windowed` channels. */
    windowHours?: number
  }
  /** Settings of one account on this channel; `secret: true` seals a value. */
  settings?: JsonSchema
  /** What a message on this channel consists of. */
  content: JsonSchema
  /** Webhook paths it answers, below `/hooks/<plugin>/`. */
  webhooks?: WebhookContribution[]
}

/** One message to one customer. */
export interface Delivery {
  /** Sending the same key twice must reach the customer once at most. */
  key: string
  customerId: number
  /** Value of the channel's kind of identifier. */
  address: string
  /** Fits the channel's content schema; variables are filled in. */
  content: Record<string, unknown>
  locale: string
  /** From 2 on it was handed over before: of a `confirmed` channel nobody confirmed it, so somebody else is to be asked. */
  attempt?: number
}

export interface DeliveryBatch {
  /** Settings of the account to send from, secrets in clear. */
  settings: Readonly<Record<string, unknown>>
  deliveries: Delivery[]
}

/**
 * What became of one delivery. `sent`: the provider has it. `pending`: someone has to confirm it, `poll` tells.
 * `refused`: final, it is not tried again. `failed`: it did not go out and may be tried again, not before `retryAt`.
 * `unknown`: the provider may have taken it and did not say so, for instance because the answer timed out.
 */
export type DeliveryResult =
  | { key: string; outcome: 'sent' | 'pending'; providerId?: string }
  | {
      key: string
      outcome: 'refused' | 'failed'
      code: string
      message: string
      retryAt?: number
      /**
       * Of `refused`: the address is none, so that nothing more is sent to it until the customer has another or somebody
       * says that it works.
       */
      permanent?: boolean
    }
  | { key: string; outcome: 'unknown'; message?: string }

/** Messages of which the server does not know whether the provider has them. */
export interface LookUpRequest {
  settings: Readonly<Record<string, unknown>>
  messages: { key: string; address: string; /** When it may have gone out. */ at: number }[]
}

/** `absent`: the provider is sure that it never took the message, so it can be sent. */
export type LookUpResult =
  | { key: string; outcome: 'sent' | 'pending'; providerId?: string }
  | { key: string; outcome: 'absent' | 'unknown' }

/** What a provider tells about a message afterwards. */
export interface Receipt {
  /** The id that `send` returned. */
  providerId: string
  /** The delivery's key, where the provider gives it back; it also finds a message whose answer was lost. */
  key?: string
  kind: ReceiptKind
  /** Epoch milliseconds. */
  at: number
  code?: string
  message?: string
  /** The link that was followed, the text of a reply. */
  detail?: string
  /**
   * Of `bounced`: the address is none, so that nothing more is sent to it until the customer has another or somebody
   * says that it works.
   */
  permanent?: boolean
}

export interface PollRequest {
  settings: Readonly<Record<string, unknown>>
  /** Messages whose end is not known yet. */
  pending: { key: string; providerId: string }[]
  /** What the last answer whose receipts are stored gave; of a channel with `pollSeconds`. */
  cursor?: string
}

/** Receipts, and how far a channel with `pollSeconds` has read. */
export interface PollAnswer {
  receipts: Receipt[]
  /**
   * Comes back with the next call, once the receipts of this answer are stored: what it stands for is done and can be
   * put away. A call that is repeated gets the one before. 10,000 characters at most.
   */
  cursor?: string
  /** There is more to read now. */
  more?: boolean
}

/** Messages that nobody has confirmed yet. */
export interface ConfirmRequest {
  settings: Readonly<Record<string, unknown>>
  pending: { key: string; providerId: string }[]
}

/** `withdrawn`: it can be sent once more. `sent`: it was confirmed meanwhile. */
export interface WithdrawResult {
  key: string
  outcome: 'withdrawn' | 'sent' | 'unknown'
}

/**
 * Implementation of a `channels` contribution. Return a result for every delivery; throw only when none of the batch
 * went out and all of it may be tried again.
 */
export interface Channel {
  send(batch: DeliveryBatch, context: RunContext): Promise<DeliveryResult[]> | DeliveryResult[]
  /** Asks the provider for receipts that it does not push. */
  poll?(request: PollRequest, context: RunContext): Promise<Receipt[] | PollAnswer> | Receipt[] | PollAnswer
  /** Asks the provider what became of messages whose answer was lost. */
  lookUp?(request: LookUpRequest, context: RunContext): Promise<LookUpResult[]> | LookUpResult[]
  /** Reminds those who have to confirm these messages; of a `confirmed` channel. */
  remind?(request: ConfirmRequest, context: RunContext): Promise<void> | void
  /** Takes back messages that nobody confirmed, so that somebody else can be asked. */
  withdraw?(request: ConfirmRequest, context: RunContext): Promise<WithdrawResult[]> | WithdrawResult[]
  /** Receipts and replies that the provider pushes. */
  handleWebhook?(
    request: WebhookRequest,
    context: RunContext,
  ): Promise<WebhookAnswer & { receipts?: Receipt[] }> | (WebhookAnswer & { receipts?: Receipt[] })
  /** Whether an account with these settings works; called when they are saved. Send nothing to anybody. */
  verifySettings?(
    settings: Readonly<Record<string, unknown>>,
    context: RunContext,
  ): Promise<SettingsVerdict> | SettingsVerdict
}

export type SettingsVerdict =
  | { ok: true; note?: string }
  | { ok: false; message: string; field?: string; reason?: SettingsReason }

/** Why settings do not work, where Huitou has words for it in the reader's language; `message` is the provider's. */
export type SettingsReason = 'credentials' | 'unknownHost' | 'unreachable' | 'silent' | 'encryption'
