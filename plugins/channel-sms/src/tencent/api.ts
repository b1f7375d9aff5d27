import type { Huitou } from '@huitou/plugin-api'
import type { AccountSettings } from '../provider.ts'
import { signedHeaders } from './signature.ts'

const minute = 60_000
/** Carriers report within three days. */
const reportedWithin = 72 * 60 * minute

interface SendStatus {
  SerialNo: string
  Code: string
  Message: string
}

export interface PulledStatus {
  UserReceiveTime?: number
  SerialNo: string
  ReportStatus: string
  Description?: string
  SessionContext?: string
}

export interface Answer {
  Error?: { Code: string; Message: string }
  SendStatusSet?: SendStatus[]
  PullSmsSendStatusSet?: PulledStatus[]
  PullSmsReplyStatusSet?: { PhoneNumber: string; ReplyContent: string; ReplyTime: number }[]
}

/** What is asked of Tencent Cloud: any action, and what it knows of a number. */
export function tencentApi({ fetch }: Pick<Huitou, 'fetch'>) {
  const call = async (
    action: string,
    { asked, settings, now }: { asked: object; settings: AccountSettings; now: number },
  ): Promise<Answer> => {
    const {
      host = 'sms.tencentcloudapi.com',
      region = 'ap-guangzhou',
      secretId,
      secretKey,
      appId,
    } = settings as Record<string, string>
    const body = JSON.stringify({ SmsSdkAppId: appId, ...asked })
    const headers = signedHeaders(
      { host, service: 'sms', action, version: '2021-01-11', region, body, now },
      { secretId: secretId as string, secretKey: secretKey as string },
    )
    const answer = await fetch(`https://${host}/`, { method: 'POST', headers, body, timeoutMs: 10_000 })
    const { Response } = (await answer.json().catch(() => ({}))) as { Response?: Answer }
    return Response ?? { Error: { Code: `HTTP_${answer.status}`, Message: 'no answer that could be read' } }
  }

  const statuses = async (
    { phone, at }: { phone: string; at: number },
    settings: AccountSettings,
    now: number,
  ): Promise<PulledStatus[]> => {
    const from = Math.floor((at - 15 * minute) / 1000)
    const asked = {
      BeginTime: from,
      EndTime: Math.floor(Math.min(now, at + reportedWithin) / 1000),
      Offset: 0,
      Limit: 100,
      PhoneNumber: phone,
    }
    const answer = await call('PullSmsSendStatusByPhoneNumber', { asked, settings, now })
    if (answer.Error) throw new Error(`${answer.Error.Code}: ${answer.Error.Message}`)
    return answer.PullSmsSendStatusSet ?? []
  }

  return { call, statuses }
}
