import type { Channel, Delivery, DeliveryResult, Huitou, Receipt } from '@huitou/plugin-api'

const endpoint = 'https://messages.example.com/v1/messages'

/** Posts each message. What the server refuses is final; what it cannot do now is tried again. */
export function createChannel(huitou: Pick<Huitou, 'fetch'>): Channel {
  const send = async (delivery: Delivery, token: string): Promise<DeliveryResult> => {
    const { key, address, content } = delivery
    const answer = await huitou.fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        // The server sends each key once, however often it is asked to.
        'idempotency-key': key,
      },
      body: JSON.stringify({ to: address, text: content['text'] }),
    })
    if (answer.ok) {
      const { id } = (await answer.json()) as { id: string }
      return { key, outcome: 'sent', providerId: id }
    }
    const outcome = answer.status === 429 || answer.status >= 500 ? 'failed' : 'refused'
    return { key, outcome, code: `HTTP_${answer.status}`, message: answer.statusText || 'not accepted' }
  }

  return {
    async send({ settings, deliveries }) {
      const token = String(settings['token'] ?? '')
      return await Promise.all(
        deliveries.map((delivery) =>
          // The request may have arrived although no answer did: asking again with the same key is safe.
          send(delivery, token).catch((error: Error) => ({
            key: delivery.key,
            outcome: 'unknown' as const,
            message: error.message,
          })),
        ),
      )
    },

    handleWebhook({ body }) {
      const receipts = readReceipts(body)
      return receipts ? { status: 204, receipts } : { status: 400, body: { error: 'not a list of receipts' } }
    },

    verifySettings({ token }) {
      return token ? { ok: true } : { ok: false, field: 'token', message: 'The token is missing' }
    },
  }
}

function readReceipts(body: Uint8Array): Receipt[] | undefined {
  try {
    const sent: unknown = JSON.parse(new TextDecoder().decode(body))
    if (!Array.isArray(sent)) return undefined
    return sent.map(({ id, delivered, at }: { id: string; delivered: boolean; at: number }) => ({
      providerId: id,
      kind: delivered ? 'delivered' : 'failed',
      at,
    }))
  } catch {
    return undefined
  }
}
