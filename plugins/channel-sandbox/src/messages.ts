import type { Collection, Delivery, ReceiptKind } from '@huitou/plugin-api'

/** A message as it is shown: nobody got it. */
export interface Message {
  key: string
  customer?: number
  address: string
  title?: string
  text: string
  html?: string
  url?: string
  locale?: string
  state: MessageState
  sent_at: string
}

export type MessageState =
  | 'sent'
  | Extract<ReceiptKind, 'delivered' | 'read' | 'clicked' | 'replied' | 'bounced' | 'unsubscribed'>

/** Keeps the message, once for each key, and returns its id. */
export async function keepMessage(
  messages: Collection<Message>,
  { key, customerId, address, content, locale }: Delivery,
  now: number,
): Promise<string> {
  const { records } = await messages.find({ where: { key }, limit: 1 })
  if (records[0]) return records[0].id
  const text = (name: string) => {
    const value = content[name]
    return typeof value === 'string' && value !== '' ? { [name]: value } : {}
  }
  const message: Message = {
    key,
    address,
    text: typeof content['text'] === 'string' && content['text'] !== '' ? content['text'] : '—',
    ...text('title'),
    ...text('html'),
    ...text('url'),
    locale,
    state: 'sent',
    sent_at: new Date(now).toISOString(),
  }
  const { id } = await messages
    .insert({ ...message, customer: customerId })
    // Whom a message went to may be gone by now, or never have been a customer, as in a test.
    .catch((error: { code?: string }) => {
      if (error.code !== 'E_RECORD') throw error
      return messages.insert(message)
    })
  return id
}
