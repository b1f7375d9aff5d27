import type {
  ChannelContribution,
  DeliveryResult,
  LookUpResult,
  PollAnswer,
  SettingsVerdict,
  WebhookAnswer,
} from '@huitou/plugin-api'
import { check, must, unlessMissing } from './contract.ts'
import type { Check, Subject } from './contract.ts'
import { sampleOf } from './schema-samples.ts'

const outcomes = ['sent', 'pending', 'refused', 'failed', 'unknown']
const foundOutcomes = ['sent', 'pending', 'absent', 'unknown']

/** What the server relies on in every channel. No network is needed: nothing answers, and the channel has to cope. */
export function channelChecks(subject: Subject<ChannelContribution>): Check[] {
  const { declaration } = subject
  const settings = () => sampleOf(declaration.settings) ?? {}
  const deliveries = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      key: `delivery-${at}`,
      customerId: at + 1,
      address: `address-${at}`,
      content: subject.inputs(() => sampleOf(declaration.content) ?? {})[0],
      locale: at % 2 === 0 ? 'zh-CN' : 'en',
    }))
  const send = (count: number) =>
    subject.call<DeliveryResult[]>('send', { settings: settings(), deliveries: deliveries(count) })
  const add = (title: string, run: () => Promise<void>) => check(subject, 'channels', title, run)
  return [
    add('tells of every message what became of it', async () => {
      const results = await send(3)
      must(Array.isArray(results), 'send() answered no list')
      const keys = results
        .map(({ key }) => key)
        .toSorted()
        .join(', ')
      must(
        keys === 'delivery-0, delivery-1, delivery-2',
        `send() answered for ${keys || 'no message'} of three`,
      )
      for (const result of results) checkResult(result)
    }),
    add('sends nothing when there is nothing to send', async () => {
      const results = await send(0)
      must(Array.isArray(results) && results.length === 0, 'send() answered results for no message')
    }),
    add('says whether settings work, and what is wrong with those that do not', async () => {
      await unlessMissing(async () => {
        for (const tried of [settings(), {}]) {
          const verdict = await subject.call<SettingsVerdict>('verifySettings', tried)
          must(typeof verdict?.ok === 'boolean', 'verifySettings() answered neither yes nor no')
          must(verdict.ok || verdict.message.length > 0, 'verifySettings() refused without a reason')
        }
      })
    }),
    add('has nothing to tell when nothing is pending', async () => {
      // What is polled by account lives elsewhere, and made-up settings lead nowhere.
      if (subject.declaration.pollSeconds !== undefined) return
      await unlessMissing(async () => {
        const receipts = await subject.call('poll', { settings: settings(), pending: [] })
        const told = Array.isArray(receipts) ? receipts : (receipts as PollAnswer).receipts
        must(Array.isArray(told) && told.length === 0, 'poll() answered receipts of no message')
      })
    }),
    add('says of messages whose answer was lost what became of them', async () => {
      await unlessMissing(async () => {
        const messages = deliveries(2).map(({ key, address }) => ({ key, address, at: subject.plugin.now }))
        checkFound(await subject.call<LookUpResult[]>('lookUp', { settings: settings(), messages }))
      })
    }),
    ...(declaration.webhooks ?? []).map(({ path }) =>
      add(`answers nonsense sent to ${path} with a refusal, not with an error`, async () => {
        for (const body of ['', 'null', '{"a":', '[{}]']) {
          const request = {
            path,
            method: 'POST',
            headers: {},
            body: new TextEncoder().encode(body),
            settings: settings(),
          }
          const { status } = await subject.call<WebhookAnswer>('handleWebhook', request)
          must(
            Number.isInteger(status) && status >= 200 && status < 500,
            `handleWebhook() answered ${status}`,
          )
        }
      }),
    ),
  ]
}

function checkFound(results: LookUpResult[]): void {
  must(Array.isArray(results) && results.length === 2, 'lookUp() did not answer for both messages')
  for (const { key, outcome } of results) {
    must(
      foundOutcomes.includes(outcome),
      `lookUp() answered "${outcome}" for "${key}"; use ${foundOutcomes.join(', ')}`,
    )
  }
}

function checkResult(result: DeliveryResult): void {
  must(
    outcomes.includes(result.outcome),
    `"${result.key}" came out as "${result.outcome}"; use ${outcomes.join(', ')}`,
  )
  if (result.outcome === 'refused' || result.outcome === 'failed') {
    must(result.code && result.message, `"${result.key}" was ${result.outcome} without a code and a message`)
  }
}
