import { chinaTime } from './aliyun-sms.ts'
import { openHttp } from './http-simulator.ts'
import type { HttpSimulator, SimulatedAnswer, SimulatedRequest } from './http-simulator.ts'
import { SmsLedger } from './sms-ledger.ts'
import type { SentSms, SmsWorld } from './sms-ledger.ts'
import { tencentSignature } from './tencent-signature.ts'

export interface TencentSmsOptions extends SmsWorld {
  secretId: string
  secretKey: string
  appId: string
  /** Name under which the host is signed. */
  host?: string
  /** Messages to one number in 30 seconds, an hour, a day. */
  limits?: { halfMinute?: number; hour?: number; day?: number }
}

/** Stands in for `sms.tencentcloudapi.com`. */
export interface TencentSms extends HttpSimulator {
  readonly ledger: SmsLedger
  takeReceipts(how?: { twice?: boolean; reversed?: boolean }): unknown[]
  takeReplies(): unknown[]
}

const version = '2021-01-11'
const hour = 3_600_000

/** Opens a provider that checks signatures, templates, hours and limits as strictly as the real one. */
export async function openTencentSms(options: TencentSmsOptions): Promise<TencentSms> {
  const ledger = new SmsLedger(options)
  const http = await openHttp((request) => {
    const refusal = checkSignature(request, options, ledger.now())
    if (refusal) return refusal
    const body = parse(request.body)
    if (!body) return problem('InvalidParameter', 'The body is not JSON')
    if (body['SmsSdkAppId'] !== options.appId)
      return problem('UnauthorizedOperation.SmsSdkAppIdVerifyFail', 'SmsSdkAppId verification failed')
    switch (request.headers['x-tc-action']) {
      case 'SendSms':
        return sendSms(ledger, body, options)
      case 'PullSmsSendStatusByPhoneNumber':
        return statusByNumber(ledger, body)
      case 'PullSmsReplyStatus':
        return answer({ PullSmsReplyStatusSet: ledger.takeReplies().map(toPulledReply) })
      default:
        return problem('InvalidAction', 'The action does not exist')
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
      ledger.takeReplies().map(({ phone, text, at, signature }) => ({
        extend: '',
        mobile: phone,
        nationcode: '86',
        sign: signature,
        text,
        time: Math.floor(at / 1000),
      })),
  })
}

function checkSignature(
  { method, target, headers, body }: SimulatedRequest,
  { secretId, secretKey, host = 'sms.tencentcloudapi.com' }: TencentSmsOptions,
  now: number,
): SimulatedAnswer | undefined {
  const given =
    /^TC3-HMAC-SHA256 Credential=([^/]+)\/(\d{4}-\d\d-\d\d)\/(\w+)\/tc3_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers['authorization'] ?? '',
    )
  if (!given) return problem('AuthFailure.InvalidAuthorization', 'The Authorization header does not conform')
  const [, id, date, service, signed = '', signature] = given
  const timestamp = Number(headers['x-tc-timestamp'])
  if (method !== 'POST' || target !== '/') return problem('InvalidRequest', 'Only POST / is answered')
  if (headers['x-tc-version'] !== version) return problem('NoSuchVersion', 'The version does not exist')
  if (!headers['x-tc-region']) return problem('MissingParameter', 'The request lacks X-TC-Region')
  if (id !== secretId) return problem('AuthFailure.SecretIdNotFound', 'The SecretId is not found')
  if (!(Math.abs(timestamp * 1000 - now) <= 5 * 60_000))
    return problem('AuthFailure.SignatureExpire', 'The signature has expired')
  const names = signed.split(';')
  const { signature: wanted } = tencentSignature(
    {
      host,
      service: 'sms',
      contentType: headers['content-type'] ?? '',
      timestamp,
      body,
      ...(names.includes('x-tc-action') ? { action: headers['x-tc-action'] ?? '' } : {}),
    },
    secretKey,
  )
  const sound =
    service === 'sms' &&
    headers['host'] === host &&
    date === new Date(timestamp * 1000).toISOString().slice(0, 10) &&
    names.includes('content-type') &&
    names.includes('host')
  return sound && wanted === signature
    ? undefined
    : problem('AuthFailure.SignatureFailure', 'The provided credentials could not be validated')
}

function sendSms(
  ledger: SmsLedger,
  body: Record<string, unknown>,
  options: TencentSmsOptions,
): SimulatedAnswer {
  const phones = body['PhoneNumberSet']
  const parameters = body['TemplateParamSet'] ?? []
  if (!Array.isArray(phones) || phones.length === 0)
    return problem('MissingParameter', 'PhoneNumberSet is missing')
  if (phones.length > 200) return problem('LimitExceeded.PhoneNumberCountLimit', 'More than 200 numbers')
  if (!Array.isArray(parameters) || !parameters.every((value) => typeof value === 'string'))
    return problem('InvalidParameter', 'TemplateParamSet is a list of texts')
  const set = (phones as string[]).map((phone) => {
    const code = codeFor(ledger, { phone, body, parameters: parameters as string[] }, options)
    const context = String(body['SessionContext'] ?? '')
    if (code !== 'Ok') return status({ phone, serial: '', context, code })
    const sms = ledger.take({
      phone: phone.replace(/^\+86/, ''),
      signature: String(body['SignName']),
      template: String(body['TemplateId']),
      parameters: parameters as string[],
      reference: context,
    })
    return status({ phone, serial: sms.id, context, code })
  })
  return answer({ SendStatusSet: set })
}

interface Sending {
  phone: string
  body: Record<string, unknown>
  parameters: readonly string[]
}

function codeFor(
  ledger: SmsLedger,
  { phone, body, parameters }: Sending,
  { limits = {} }: TencentSmsOptions,
): string {
  const { halfMinute = 1, hour: perHour = 5, day = 10 } = limits
  const template = ledger.templates[String(body['TemplateId'])]
  if (!/^\+861\d{10}$/.test(phone)) return 'InvalidParameterValue.IncorrectPhoneNumber'
  if (Buffer.byteLength(String(body['SessionContext'] ?? '')) > 512)
    return 'InvalidParameterValue.ContentLengthLimit'
  if (!ledger.signatures.has(String(body['SignName'])))
    return 'FailedOperation.SignatureIncorrectOrUnapproved'
  if (!template) return 'FailedOperation.TemplateIncorrectOrUnapproved'
  const wanted = new Set([...template.text.matchAll(/\{(\d+)\}/g)].map(([, number]) => number)).size
  if (wanted !== parameters.length) return 'FailedOperation.TemplateParamSetNotMatchApprovedTemplate'
  if (ledger.balance < 1) return 'FailedOperation.InsufficientBalanceInSmsPackage'
  const number = phone.slice(3)
  if (ledger.blacklist.has(number)) return 'FailedOperation.PhoneNumberInBlacklist'
  const hourInChina = new Date(ledger.now() + 8 * hour).getUTCHours()
  if (template.marketing && (hourInChina < 8 || hourInChina >= 22))
    return 'FailedOperation.MarketingSendTimeConstraint'
  if (ledger.countSince(number, 24 * hour) >= day) return 'LimitExceeded.PhoneNumberDailyLimit'
  if (ledger.countSince(number, hour) >= perHour) return 'LimitExceeded.PhoneNumberOneHourLimit'
  return ledger.countSince(number, 30_000) >= halfMinute ? 'LimitExceeded.PhoneNumberThirtySecondLimit' : 'Ok'
}

function statusByNumber(ledger: SmsLedger, body: Record<string, unknown>): SimulatedAnswer {
  const { BeginTime, EndTime, Offset, Limit, PhoneNumber } = body as Record<string, number>
  if (!(Number(Limit) >= 1 && Number(Limit) <= 100) || Offset === undefined)
    return problem('InvalidParameter', 'Limit is between 1 and 100, and Offset is needed')
  if (!/^\+86/.test(String(PhoneNumber)))
    return problem('InvalidParameterValue.IncorrectPhoneNumber', 'E.164 is needed')
  const found = ledger.sent.filter(
    ({ phone, at, state }) =>
      `+86${phone}` === String(PhoneNumber) &&
      state !== 'waiting' &&
      at >= Number(BeginTime) * 1000 &&
      at <= Number(EndTime ?? Infinity) * 1000,
  )
  return answer({
    PullSmsSendStatusSet: found.slice(Offset, Offset + Number(Limit)).map((sms) => ({
      UserReceiveTime: Math.floor((sms.reportedAt ?? sms.at) / 1000),
      CountryCode: '86',
      SubscriberNumber: sms.phone,
      PhoneNumber: `+86${sms.phone}`,
      SerialNo: sms.id,
      ReportStatus: sms.state === 'delivered' ? 'SUCCESS' : 'FAIL',
      Description: sms.report,
      SessionContext: sms.reference,
    })),
  })
}

function toReceipt(sms: SentSms): unknown {
  return {
    user_receive_time: chinaTime(sms.reportedAt ?? sms.at),
    nationcode: '86',
    mobile: sms.phone,
    report_status: sms.state === 'delivered' ? 'SUCCESS' : 'FAIL',
    errmsg: sms.state === 'delivered' ? 'DELIVRD' : sms.report,
    description: sms.state === 'delivered' ? '用户短信送达成功' : sms.report,
    sid: sms.id,
  }
}

function toPulledReply({ phone, text, at, signature }: SmsLedger['replies'][number]): unknown {
  return {
    ExtendCode: '',
    CountryCode: '86',
    SubscriberNumber: phone,
    PhoneNumber: `+86${phone}`,
    SignName: signature,
    ReplyContent: text,
    ReplyTime: Math.floor(at / 1000),
  }
}

const status = ({
  phone,
  serial,
  context,
  code,
}: Record<'phone' | 'serial' | 'context' | 'code', string>) => ({
  SerialNo: serial,
  PhoneNumber: phone,
  Fee: code === 'Ok' ? 1 : 0,
  SessionContext: context,
  Code: code,
  Message: code === 'Ok' ? 'send success' : code,
  IsoCode: 'CN',
})

function parse(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body))
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

let requests = 0
const answer = (more: object): SimulatedAnswer => ({
  status: 200,
  body: { Response: { ...more, RequestId: `simulated-${++requests}` } },
})
const problem = (Code: string, Message: string): SimulatedAnswer => answer({ Error: { Code, Message } })
