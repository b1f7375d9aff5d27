import { timingSafeEqual } from 'node:crypto'
import { aliyunSignature, sha256 } from './aliyun-signature.ts'
import { openHttp } from './http-simulator.ts'
import type { HttpSimulator, SimulatedAnswer, SimulatedRequest } from './http-simulator.ts'
import { SmsLedger } from './sms-ledger.ts'
import type { SentSms, SmsWorld } from './sms-ledger.ts'

export interface AliyunSmsOptions extends SmsWorld {
  accessKeyId: string
  accessKeySecret: string
  /** Messages to one number in a minute, an hour, a day. */
  limits?: { minute?: number; hour?: number; day?: number }
}

/** Stands in for `dysmsapi.aliyuncs.com`. */
export interface AliyunSms extends HttpSimulator {
  readonly ledger: SmsLedger
  /** Bodies of the receipts due, as they are posted; `twice` and `reversed` as the network may have it. */
  takeReceipts(how?: { twice?: boolean; reversed?: boolean }): unknown[]
  takeReplies(): unknown[]
}

const version = '2017-05-25'
const mustSign = [
  'host',
  'x-acs-action',
  'x-acs-content-sha256',
  'x-acs-date',
  'x-acs-signature-nonce',
  'x-acs-version',
]
const skew = 15 * 60_000
const minute = 60_000

/** Opens a provider that checks signatures, templates, numbers and limits as strictly as the real one. */
export async function openAliyunSms(options: AliyunSmsOptions): Promise<AliyunSms> {
  const ledger = new SmsLedger(options)
  const nonces = new Set<string>()
  const http = await openHttp((request) => {
    const refusal = checkSignature(request, { options, nonces, now: ledger.now() })
    if (refusal) return refusal
    const query = new URLSearchParams(request.target.split('?', 2)[1])
    switch (request.headers['x-acs-action']) {
      case 'SendSms':
        return sendSms(ledger, query, options)
      case 'QuerySendDetails':
        return querySendDetails(ledger, query)
      default:
        return problem(404, 'InvalidAction.NotFound', 'Specified api is not found')
    }
  })
  return Object.assign(http, {
    ledger,
    takeReceipts: ({ twice = false, reversed = false } = {}) => {
      const receipts = ledger.takeReports().map(toReceipt)
      const all = twice ? [...receipts, ...receipts] : receipts
      return reversed ? all.toReversed() : all
    },
    takeReplies: () =>
      ledger.takeReplies().map(({ phone, text, at, signature, id }) => ({
        phone_number: phone,
        send_time: chinaTime(at),
        content: text,
        sign_name: signature,
        dest_code: '1069000000',
        sequence_id: id,
      })),
  })
}

function checkSignature(
  request: SimulatedRequest,
  { options, nonces, now }: { options: AliyunSmsOptions; nonces: Set<string>; now: number },
): SimulatedAnswer | undefined {
  const { headers, body } = request
  const given = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(
    headers['authorization'] ?? '',
  )
  if (!given)
    return problem(400, 'IncompleteSignature', 'The request signature does not conform to standards')
  const [, key, list = '', signature = ''] = given
  if (key !== options.accessKeyId)
    return problem(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found')
  if (headers['x-acs-version'] !== version)
    return problem(400, 'InvalidVersion', 'Specified parameter Version is not valid')
  const date = headers['x-acs-date'] ?? ''
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(date) || Math.abs(Date.parse(date) - now) > skew)
    return problem(400, 'InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired')
  const signedHeaders = list.split(';')
  const sorted =
    signedHeaders.toSorted().join(';') === list && mustSign.every((name) => signedHeaders.includes(name))
  const hashed = headers['x-acs-content-sha256'] === sha256(body)
  const wanted = aliyunSignature(request, { secret: options.accessKeySecret, signedHeaders }).signature
  if (!sorted || !hashed || !timingSafeEqual(Buffer.from(wanted), Buffer.from(signature)))
    return problem(400, 'SignatureDoesNotMatch', 'Specified signature is not matched with our calculation')
  const nonce = headers['x-acs-signature-nonce'] ?? ''
  if (nonce === '' || nonces.has(nonce))
    return problem(400, 'SignatureNonceUsed', 'Specified signature nonce was used already')
  nonces.add(nonce)
  return undefined
}

function sendSms(
  ledger: SmsLedger,
  query: URLSearchParams,
  { limits = {} }: AliyunSmsOptions,
): SimulatedAnswer {
  const { minute: perMinute = 1, hour: perHour = 5, day: perDay = 10 } = limits
  const given = (name: string) => query.get(name) ?? ''
  const missing = ['PhoneNumbers', 'SignName', 'TemplateCode'].find((name) => given(name) === '')
  if (missing) return problem(400, `Missing${missing}`, `${missing} is mandatory for this action.`)
  const phones = given('PhoneNumbers').split(',')
  const template = ledger.templates[given('TemplateCode')]
  const parameters = parseParameters(given('TemplateParam'))
  if (phones.length > 1000) return refused('isv.MOBILE_COUNT_OVER_LIMIT')
  if (!phones.every((phone) => /^(?:\+86|0086|86)?1\d{10}$/.test(phone)))
    return refused('isv.MOBILE_NUMBER_ILLEGAL')
  if (!ledger.signatures.has(given('SignName'))) return refused('isv.SMS_SIGNATURE_ILLEGAL')
  if (!template) return refused('isv.SMS_TEMPLATE_ILLEGAL')
  if (!parameters) return refused('isv.INVALID_JSON_PARAM')
  const names = [...template.text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name as string)
  if (names.some((name) => parameters[name] === undefined)) return refused('isv.TEMPLATE_MISSING_PARAMETERS')
  if (Object.values(parameters).some((value) => value.length > 35)) return refused('isv.PARAM_LENGTH_LIMIT')
  if (Buffer.byteLength(given('OutId')) > 256) return refused('isv.PARAM_LENGTH_LIMIT')
  if (ledger.balance < phones.length) return refused('isv.AMOUNT_NOT_ENOUGH')
  for (const number of phones) {
    const phone = number.slice(-11)
    if (ledger.blacklist.has(phone)) return refused('isv.BLACK_KEY_CONTROL_LIMIT')
    if (ledger.countSince(phone, 24 * 60 * minute) >= perDay) return refused('isv.DAY_LIMIT_CONTROL')
    if (ledger.countSince(phone, minute) >= perMinute || ledger.countSince(phone, 60 * minute) >= perHour)
      return refused('isv.BUSINESS_LIMIT_CONTROL')
  }
  const sent = phones.map((phone) =>
    ledger.take({
      phone: phone.slice(-11),
      signature: given('SignName'),
      template: given('TemplateCode'),
      parameters,
      reference: given('OutId'),
    }),
  )
  return ok({ BizId: sent[0]?.id })
}

function querySendDetails(ledger: SmsLedger, query: URLSearchParams): SimulatedAnswer {
  const size = Number(query.get('PageSize'))
  const page = Number(query.get('CurrentPage'))
  if (!/^\d{8}$/.test(query.get('SendDate') ?? ''))
    return problem(400, 'MissingSendDate', 'SendDate is mandatory for this action.')
  if (!(size >= 1 && size <= 50 && page >= 1)) return refused('isv.PARAM_NOT_SUPPORT')
  const found = ledger.sent.filter(
    (sms) =>
      sms.phone === query.get('PhoneNumber')?.slice(-11) &&
      chinaTime(sms.at).slice(0, 10).replaceAll('-', '') === query.get('SendDate') &&
      (!query.get('BizId') || sms.id === query.get('BizId')),
  )
  const details = found.slice((page - 1) * size, page * size).map((sms) => ({
    PhoneNum: sms.phone,
    SendStatus: sms.state === 'waiting' ? 1 : sms.state === 'failed' ? 2 : 3,
    ErrCode: sms.report,
    TemplateCode: sms.template,
    Content: ledger.templates[sms.template]?.text ?? '',
    SendDate: chinaTime(sms.at),
    ...(sms.reportedAt === undefined ? {} : { ReceiveDate: chinaTime(sms.reportedAt) }),
    OutId: sms.reference,
  }))
  return ok({ SmsSendDetailDTOs: { SmsSendDetailDTO: details }, TotalCount: found.length })
}

function toReceipt(sms: SentSms): unknown {
  return {
    phone_number: sms.phone,
    send_time: chinaTime(sms.at),
    report_time: chinaTime(sms.reportedAt ?? sms.at),
    success: sms.state === 'delivered',
    err_code: sms.report,
    err_msg: sms.state === 'delivered' ? '用户接收成功' : sms.report,
    sms_size: '1',
    biz_id: sms.id,
    out_id: sms.reference,
  }
}

function parseParameters(text: string): Record<string, string> | undefined {
  if (text === '') return {}
  try {
    const parsed: unknown = JSON.parse(text)
    const plain = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return plain && Object.values(parsed).every((value) => typeof value === 'string')
      ? (parsed as Record<string, string>)
      : undefined
  } catch {
    return undefined
  }
}

/** `2026-03-01 12:00:00` in China, as providers there write times. */
export function chinaTime(at: number): string {
  return new Date(at + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}

let requests = 0
const requestId = () => `SIMULATED-${++requests}`
const ok = (more: object): SimulatedAnswer => ({
  status: 200,
  body: { Code: 'OK', Message: 'OK', RequestId: requestId(), ...more },
})
const refused = (code: string): SimulatedAnswer => ({
  status: 200,
  body: { Code: code, Message: code, RequestId: requestId() },
})
const problem = (status: number, code: string, message: string): SimulatedAnswer => ({
  status,
  body: { Code: code, Message: message, RequestId: requestId() },
})
