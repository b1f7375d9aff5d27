import type { Channel, DeliveryResult } from '@huitou/plugin-api'
import { openAliyunSms, openTencentSms, routeFetch } from '@huitou/simulators'
import type { AliyunSms, TencentSms } from '@huitou/simulators'
import { memoryCollection } from '@huitou/testing/memory-collection'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aliyunProvider } from './aliyun/provider.ts'
import { createChannel } from './channel.ts'
import type { LoggedSms } from './message-log.ts'
import { tencentProvider } from './tencent/provider.ts'

const token = 'a-token-that-nobody-guesses'
const noon = Date.UTC(2026, 2, 1, 4)
const phone = '13800000001'
const silent = { info() {}, warn() {}, error() {} }

const companies = {
  aliyun: {
    host: 'dysmsapi.aliyuncs.com',
    settings: { accessKeyId: 'id', accessKeySecret: 'sesame', signature: '回头客' },
    secret: 'accessKeySecret',
    variable: 'name',
    text: '您好${name}，春茶到了，拒收请回复R',
    codes: {
      signature: 'SignatureDoesNotMatch',
      template: 'isv.SMS_TEMPLATE_ILLEGAL',
      blacklist: 'isv.BLACK_KEY_CONTROL_LIMIT',
      often: 'isv.BUSINESS_LIMIT_CONTROL',
      balance: 'isv.AMOUNT_NOT_ENOUGH',
    },
    open: openAliyunSms,
    provider: aliyunProvider,
    absent: 'absent',
  },
  tencent: {
    host: 'sms.tencentcloudapi.com',
    settings: { secretId: 'id', secretKey: 'sesame', appId: '1400000000', signature: '回头客' },
    secret: 'secretKey',
    variable: '1',
    text: '您好{1}，春茶到了，拒收请回复R',
    codes: {
      signature: 'AuthFailure.SignatureFailure',
      template: 'FailedOperation.TemplateIncorrectOrUnapproved',
      blacklist: 'FailedOperation.PhoneNumberInBlacklist',
      often: 'LimitExceeded.PhoneNumberThirtySecondLimit',
      balance: 'FailedOperation.InsufficientBalanceInSmsPackage',
    },
    open: openTencentSms,
    provider: tencentProvider,
    absent: 'unknown',
  },
} as const

describe.each(['aliyun', 'tencent'] as const)('%s', (id) => {
  const company = companies[id]
  const settings: Record<string, string> = company.settings
  let now: number
  let simulator: AliyunSms | TencentSms
  let channel: Channel

  beforeEach(async () => {
    now = noon
    simulator = await company.open({
      ...(company.settings as never as { accessKeyId: string; accessKeySecret: string } & {
        secretId: string
        secretKey: string
        appId: string
      }),
      signatures: ['回头客'],
      templates: { SMS_1: { text: company.text, marketing: true } },
      blacklist: ['13800000009'],
      now: () => now,
    })
    const log = memoryCollection<LoggedSms>({ now: () => now })
    const fetch = routeFetch({ [company.host]: simulator.url })
    channel = createChannel({
      provider: company.provider({ fetch }),
      log,
      huitou: { settings: {}, log: silent },
      prune: async () => {},
    })
  })
  afterEach(() => simulator[Symbol.asyncDispose]())

  const context = () => ({ now, signal: new AbortController().signal })
  const send = async (
    key: string,
    { to = phone, template = 'SMS_1', account = settings, purpose = 'marketing' } = {},
  ) => {
    const content = { template, parameters: { [company.variable]: '王女士' }, purpose }
    const deliveries = [{ key, customerId: 1, address: to, locale: 'zh-CN', content }]
    const [result] = await channel.send({ settings: account, deliveries }, context())
    return result as DeliveryResult & { providerId: string }
  }
  const hook = (body: unknown, path = `${id}/${token}`) =>
    channel.handleWebhook!(
      {
        path,
        method: 'POST',
        headers: {},
        body: new TextEncoder().encode(JSON.stringify(body)),
        settings: { callbackToken: token },
      },
      context(),
    )

  test('a text goes out signed, and its receipt finds it, however often it comes', async () => {
    const { providerId } = await send('1.welcome.1')
    expect(simulator.ledger.sent).toMatchObject([{ phone, signature: '回头客', reference: '1.welcome.1' }])
    simulator.ledger.settle()
    const answer = await hook(simulator.takeReceipts({ twice: true, reversed: true }))
    expect(answer.status).toBe(200)
    expect(answer.receipts).toHaveLength(2)
    expect(answer.receipts?.[0]).toMatchObject({ providerId, kind: 'delivered', at: noon })
    expect(await hook([], `${id}/wrong`)).toMatchObject({ status: 404 })
    expect(await hook([{}])).toMatchObject({ status: 400 })
  })

  test.each([
    ['signature', 'failed', { account: { ...settings, [company.secret]: 'wrong' } }],
    ['template', 'refused', { template: 'SMS_2' }],
    ['blacklist', 'refused', { to: '13800000009' }],
  ] as const)('a wrong %s is %s with the code of the provider', async (what, outcome, more) => {
    expect(await send('a', more)).toMatchObject({ outcome, code: company.codes[what] })
    expect(simulator.ledger.sent).toEqual([])
  })

  test('too often and an empty account are put off', async () => {
    await send('a')
    const often = await send('b')
    expect(often).toMatchObject({ outcome: 'failed', code: company.codes.often })
    expect((often as { retryAt?: number }).retryAt).toBeGreaterThan(now)
    simulator.ledger.balance = 0
    expect(await send('c', { to: '13800000002' })).toMatchObject({
      outcome: 'failed',
      code: company.codes.balance,
    })
  })

  test('what is no number, and marketing at night, never leaves', async () => {
    expect(await send('a', { to: '010-1' })).toMatchObject({ outcome: 'refused', code: 'NUMBER' })
    now = Date.UTC(2026, 2, 1, 13)
    expect(await send('b')).toMatchObject({
      outcome: 'failed',
      code: 'HOURS',
      retryAt: Date.UTC(2026, 2, 2),
    })
    expect(await send('c', { purpose: 'service' })).toMatchObject({ outcome: 'sent' })
  })

  test('a lost answer is unknown, and is found out: nobody gets it twice', async () => {
    simulator.faults.next('lost')
    expect(await send('a')).toMatchObject({ outcome: 'unknown' })
    simulator.faults.next('hang-up')
    expect(await send('b', { to: '13800000002' })).toMatchObject({ outcome: 'unknown' })
    simulator.ledger.settle()
    now += 20 * 60_000
    const messages = [
      { key: 'a', address: phone, at: noon },
      { key: 'b', address: '13800000002', at: noon },
    ]
    const found = await channel.lookUp!({ settings, messages }, context())
    expect(found.map(({ outcome }) => outcome)).toEqual(['sent', company.absent])
    expect(simulator.ledger.twice()).toEqual([])
  })

  test('a busy provider is tried again', async () => {
    simulator.faults.next('busy')
    expect(await send('a')).toMatchObject({ outcome: 'failed', code: 'HTTP_503' })
  })

  test('receipts that were not pushed are asked for', async () => {
    const { providerId } = await send('a')
    const pending = [{ key: 'a', providerId }]
    expect(await channel.poll!({ settings, pending }, context())).toEqual([])
    simulator.ledger.settle({ [phone]: 'MK:0001' })
    now += 60_000
    expect(await channel.poll!({ settings, pending }, context())).toEqual([
      { providerId, key: 'a', kind: 'failed', at: noon, code: 'MK:0001' },
    ])
  })

  test('a reply answers the last message, and R takes the number off the list', async () => {
    const { providerId } = await send('a')
    now += 60_000
    simulator.ledger.reply(phone, '多少钱')
    simulator.ledger.reply(phone, ' r ')
    simulator.ledger.reply('13900000000', 'R')
    const { receipts } = await hook(simulator.takeReplies())
    expect(receipts).toMatchObject([
      { providerId, key: 'a', kind: 'replied', detail: '多少钱' },
      { providerId, key: 'a', kind: 'replied' },
      { providerId, key: 'a', kind: 'unsubscribed', at: noon + 60_000 },
    ])
  })

  test('settings are tried without sending', async () => {
    expect(await channel.verifySettings!(settings, context())).toEqual({ ok: true })
    expect(
      await channel.verifySettings!({ ...settings, [company.secret]: 'wrong' }, context()),
    ).toMatchObject({ ok: false, field: company.secret })
    expect(simulator.ledger.sent).toEqual([])
  })
})
