import type { DeliveryResult, Huitou, Receipt } from '@huitou/plugin-api'
import { readChinaTime } from '../china-time.ts'
import { nextLegalTime } from '../legal-hours.ts'
import { toE164 } from '../phone.ts'
import type { News, Provider, Reply, Sms } from '../provider.ts'
import { tencentApi } from './api.ts'
import type { Answer, PulledStatus } from './api.ts'

const minute = 60_000

const waits: Record<string, number> = {
  'LimitExceeded.PhoneNumberThirtySecondLimit': minute / 2,
  'LimitExceeded.PhoneNumberOneHourLimit': 60 * minute,
  'LimitExceeded.PhoneNumberDailyLimit': 24 * 60 * minute,
  'FailedOperation.InsufficientBalanceInSmsPackage': 15 * minute,
}

/** Tencent Cloud's text messages. */
export function tencentProvider(huitou: Pick<Huitou, 'fetch'>): Provider {
  const { call, statuses } = tencentApi(huitou)
  return {
    id: 'tencent',
    thanks: { result: 0, errmsg: 'OK' },
    missing: (settings) => ['secretId', 'secretKey', 'appId', 'signature'].find((name) => !settings[name]),

    async send(sms, settings, now) {
      const parameters = positional(sms.parameters)
      if (!parameters)
        return {
          key: sms.key,
          outcome: 'refused',
          code: 'PARAMETERS',
          message: 'name the variables 1, 2, 3 …',
        }
      const asked = {
        PhoneNumberSet: [sms.phone],
        TemplateId: sms.template,
        SignName: String(settings['signature']),
        TemplateParamSet: parameters,
        SessionContext: sms.key,
      }
      return toResult(sms.key, await call('SendSms', { asked, settings, now }), now)
    },

    async poll(messages, settings, now) {
      const receipts: Receipt[] = []
      for (const { phone, at, key, provider_id: providerId } of messages) {
        const found = await statuses({ phone, at: Date.parse(at) }, settings, now)
        const status = found.find(({ SerialNo }) => SerialNo === providerId)
        if (status && providerId) receipts.push({ ...toReceipt(status, now), key })
      }
      const answer = await call('PullSmsReplyStatus', { asked: { Limit: 100 }, settings, now })
      const replies = (answer.PullSmsReplyStatusSet ?? []).flatMap(
        ({ PhoneNumber, ReplyContent, ReplyTime }) => {
          const phone = toE164(PhoneNumber)
          return phone ? [{ phone, text: ReplyContent, at: ReplyTime * 1000 }] : []
        },
      )
      return { receipts, replies }
    },

    /** It lists only what carriers reported on, so a message that is not there may still be under way. */
    async lookUp({ key, phone, at }, settings, now) {
      const status = (await statuses({ phone, at }, settings, now)).find((one) => one.SessionContext === key)
      return status ? { key, outcome: 'sent', providerId: status.SerialNo } : { key, outcome: 'unknown' }
    },

    readNews: (body, now) => readNews(body, now),

    async verify(settings, now) {
      const asked = { BeginTime: Math.floor(now / 1000), Offset: 0, Limit: 1, PhoneNumber: '+8613000000000' }
      const { Error: problem } = await call('PullSmsSendStatusByPhoneNumber', { asked, settings, now })
      if (!problem) return { ok: true }
      const field = problem.Code.includes('SecretId')
        ? 'secretId'
        : problem.Code.includes('Signature')
          ? 'secretKey'
          : problem.Code.includes('AppId')
            ? 'appId'
            : undefined
      return { ok: false, message: `${problem.Code}: ${problem.Message}`, ...(field ? { field } : {}) }
    },
  }
}

function toResult(key: string, { Error: problem, SendStatusSet = [] }: Answer, now: number): DeliveryResult {
  const [status] = SendStatusSet
  if (status?.Code === 'Ok') return { key, outcome: 'sent', providerId: status.SerialNo }
  const { Code = '', Message = '' } = problem ?? status ?? {}
  const answer = { key, code: Code, message: Message }
  if (Code === 'FailedOperation.MarketingSendTimeConstraint')
    return { ...answer, outcome: 'failed', retryAt: nextLegalTime(now, {}) ?? now + 60 * minute }
  if (Code === 'HTTP_429' || Code === 'HTTP_503') return { ...answer, outcome: 'failed' }
  if (Code === '' || Code.startsWith('InternalError') || Code.startsWith('HTTP_5'))
    return { key, outcome: 'unknown', message: Code }
  if (/^(?:AuthFailure|UnauthorizedOperation|RequestLimitExceeded)/.test(Code))
    return { ...answer, outcome: 'failed', retryAt: now + 5 * minute }
  const wait = waits[Code] ?? (Code.startsWith('LimitExceeded') ? 60 * minute : undefined)
  return wait === undefined
    ? { ...answer, outcome: 'refused' }
    : { ...answer, outcome: 'failed', retryAt: now + wait }
}

/** Variables in the order of their numbers; undefined when they have other names. */
function positional(parameters: Sms['parameters']): string[] | undefined {
  const count = Object.keys(parameters).length
  const values = Array.from({ length: count }, (_, at) => parameters[String(at + 1)])
  return values.every((value) => value !== undefined) ? values : undefined
}

function toReceipt(
  { SerialNo, ReportStatus, Description, UserReceiveTime }: PulledStatus,
  now: number,
): Receipt {
  const at = UserReceiveTime ? UserReceiveTime * 1000 : now
  return ReportStatus === 'SUCCESS'
    ? { providerId: SerialNo, kind: 'delivered', at }
    : { providerId: SerialNo, kind: 'failed', at, code: Description || 'FAIL' }
}

function readNews(body: unknown, now: number): News | undefined {
  const list: unknown[] = Array.isArray(body) ? body : [body]
  const receipts: Receipt[] = []
  const replies: Reply[] = []
  for (const one of list) {
    const { sid, report_status, errmsg, description, user_receive_time, mobile, nationcode, text, time } =
      (one ?? {}) as Record<string, unknown>
    if (typeof sid === 'string' && (report_status === 'SUCCESS' || report_status === 'FAIL')) {
      const at = readChinaTime(user_receive_time) ?? now
      receipts.push(
        report_status === 'SUCCESS'
          ? { providerId: sid, kind: 'delivered', at }
          : {
              providerId: sid,
              kind: 'failed',
              at,
              code: String(errmsg ?? 'FAIL'),
              message: String(description ?? ''),
            },
      )
    } else if (typeof text === 'string' && typeof mobile === 'string') {
      const phone = toE164(mobile.startsWith('+') ? mobile : `+${String(nationcode ?? '86')}${mobile}`)
      if (phone) replies.push({ phone, text, at: typeof time === 'number' ? time * 1000 : now })
    } else return undefined
  }
  return list.length > 0 ? { receipts, replies } : undefined
}
