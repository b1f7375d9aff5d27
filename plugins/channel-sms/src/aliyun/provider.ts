import type { DeliveryResult, Huitou, Receipt } from '@huitou/plugin-api'
import { chinaDay, readChinaTime } from '../china-time.ts'
import { toE164 } from '../phone.ts'
import type { News, Provider, Reply } from '../provider.ts'
import { aliyunApi, settledAfter } from './api.ts'
import type { Answer } from './api.ts'

const minute = 60_000

/** Codes after which the same message may be tried again, and how much later. */
const waits: Record<string, number> = {
  'isv.BUSINESS_LIMIT_CONTROL': 60 * minute,
  'isv.DAY_LIMIT_CONTROL': 24 * 60 * minute,
  'isv.AMOUNT_NOT_ENOUGH': 15 * minute,
  'isv.OUT_OF_SERVICE': 15 * minute,
  'isv.ACCOUNT_ABNORMAL': 15 * minute,
  SignatureDoesNotMatch: 5 * minute,
  IncompleteSignature: 5 * minute,
  'InvalidAccessKeyId.NotFound': 5 * minute,
  'InvalidAccessKeyId.Inactive': 5 * minute,
  'InvalidTimeStamp.Expired': 5 * minute,
}

/** Alibaba Cloud's text messages (Dysms). */
export function aliyunProvider(huitou: Pick<Huitou, 'fetch'>): Provider {
  const { call, details } = aliyunApi(huitou)
  return {
    id: 'aliyun',
    thanks: { code: 0, msg: 'OK' },
    missing: (settings) => ['accessKeyId', 'accessKeySecret', 'signature'].find((name) => !settings[name]),

    async send({ key, phone, template, parameters }, settings, now) {
      const query = {
        PhoneNumbers: phone.replace(/^\+86/, '').replace(/^\+/, '00'),
        SignName: String(settings['signature']),
        TemplateCode: template,
        TemplateParam: JSON.stringify(parameters),
        OutId: key,
      }
      return toResult(key, await call('SendSms', { query, settings, now }), now)
    },

    async poll(messages, settings, now) {
      const receipts: Receipt[] = []
      for (const { key, phone, at, provider_id: providerId } of messages) {
        if (!providerId) continue
        const asked = { phone, at: Date.parse(at), bizId: providerId }
        for (const detail of await details(asked, settings, now)) {
          if (detail.SendStatus !== 2 && detail.SendStatus !== 3) continue
          receipts.push({
            providerId,
            key,
            at: readChinaTime(detail.ReceiveDate) ?? now,
            ...(detail.SendStatus === 3
              ? { kind: 'delivered' as const }
              : { kind: 'failed' as const, ...(detail.ErrCode ? { code: detail.ErrCode } : {}) }),
          })
        }
      }
      return { receipts, replies: [] }
    },

    async lookUp({ key, phone, at }, settings, now) {
      const found = (await details({ phone, at }, settings, now)).some(({ OutId }) => OutId === key)
      if (found) return { key, outcome: 'sent' }
      return { key, outcome: now - at > settledAfter ? 'absent' : 'unknown' }
    },

    readNews: (body, now) => readNews(body, now),

    async verify(settings, now) {
      // It asks about a number that nobody has, which sends nothing and still proves the key.
      const query = { PhoneNumber: '13000000000', SendDate: chinaDay(now), PageSize: '1', CurrentPage: '1' }
      const { Code = '', Message = Code, status } = await call('QuerySendDetails', { query, settings, now })
      if (Code === 'OK' || Code.startsWith('isv.')) return { ok: true }
      const field = Code.startsWith('InvalidAccessKeyId')
        ? 'accessKeyId'
        : Code.includes('Signature')
          ? 'accessKeySecret'
          : undefined
      return { ok: false, message: `${Code || status}: ${Message}`, ...(field ? { field } : {}) }
    },
  }
}

function toResult(key: string, { status, Code = '', Message, BizId }: Answer, now: number): DeliveryResult {
  if (Code === 'OK') return { key, outcome: 'sent', ...(BizId ? { providerId: BizId } : {}) }
  const answer = { key, code: Code || `HTTP_${status}`, message: Message ?? Code }
  // The same request came before, through some retry on the way: what became of it then, nobody says.
  if (Code === 'SignatureNonceUsed') return { key, outcome: 'unknown', message: Code }
  if (status === 429 || status === 503 || Code.startsWith('Throttling'))
    return { ...answer, outcome: 'failed' }
  if (status >= 500 || Code === '' || Code.startsWith('isp.'))
    return { key, outcome: 'unknown', message: answer.code }
  const wait = waits[Code]
  return wait === undefined
    ? { ...answer, outcome: 'refused' }
    : { ...answer, outcome: 'failed', retryAt: now + wait }
}

function readNews(body: unknown, now: number): News | undefined {
  if (!Array.isArray(body) || body.length === 0) return undefined
  const receipts: Receipt[] = []
  const replies: Reply[] = []
  for (const one of body as unknown[]) {
    const { phone_number, biz_id, out_id, success, err_code, err_msg, report_time, content, send_time } =
      (one ?? {}) as Record<string, unknown>
    if (typeof biz_id === 'string' && typeof success === 'boolean') {
      receipts.push({
        providerId: biz_id,
        ...(typeof out_id === 'string' && out_id !== '' ? { key: out_id } : {}),
        kind: success ? 'delivered' : 'failed',
        at: readChinaTime(report_time) ?? now,
        ...(success ? {} : { code: String(err_code ?? 'FAILED'), message: String(err_msg ?? '') }),
      })
    } else if (typeof content === 'string' && typeof phone_number === 'string') {
      const phone = toE164(phone_number)
      if (phone) replies.push({ phone, text: content, at: readChinaTime(send_time) ?? now })
    } else return undefined
  }
  return { receipts, replies }
}
