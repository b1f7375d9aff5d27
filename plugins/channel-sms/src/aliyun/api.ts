import { randomUUID } from 'node:crypto'
import type { Huitou } from '@huitou/plugin-api'
import { chinaDay } from '../china-time.ts'
import type { AccountSettings } from '../provider.ts'
import { signedRequest } from './signature.ts'

const minute = 60_000
/** Until its records show a message, the provider cannot be sure that it never took it. */
export const settledAfter = 15 * minute

export interface Answer {
  status: number
  Code?: string
  Message?: string
  BizId?: string
  SmsSendDetailDTOs?: { SmsSendDetailDTO?: Detail[] }
}

export interface Detail {
  SendStatus: number
  ErrCode?: string
  ReceiveDate?: string
  OutId?: string
}

export type AliyunApi = ReturnType<typeof aliyunApi>

/** What is asked of Dysms: any action, and what it knows of a number. */
export function aliyunApi({ fetch }: Pick<Huitou, 'fetch'>) {
  const call = async (
    action: string,
    { query, settings, now }: { query: Record<string, string>; settings: AccountSettings; now: number },
  ): Promise<Answer> => {
    const {
      host = 'dysmsapi.aliyuncs.com',
      accessKeyId,
      accessKeySecret,
    } = settings as Record<string, string>
    const { url, headers } = signedRequest(
      { host, action, version: '2017-05-25', query, now, nonce: randomUUID() },
      { accessKeyId: accessKeyId as string, accessKeySecret: accessKeySecret as string },
    )
    const answer = await fetch(url, { method: 'POST', headers, timeoutMs: 10_000 })
    const body = (await answer.json().catch(() => ({}))) as object
    return { ...body, status: answer.status }
  }

  /** What the provider has for a number on the day of `at`, and on the day after when that is near. */
  const details = async (
    { phone, at, bizId }: { phone: string; at: number; bizId?: string },
    settings: AccountSettings,
    now: number,
  ): Promise<Detail[]> => {
    const days = new Set([chinaDay(at - settledAfter), chinaDay(at)])
    const found: Detail[] = []
    for (const SendDate of days) {
      const query = {
        PhoneNumber: phone.slice(3),
        SendDate,
        PageSize: '50',
        CurrentPage: '1',
        ...(bizId ? { BizId: bizId } : {}),
      }
      const answer = await call('QuerySendDetails', { query, settings, now })
      if (answer.Code !== 'OK')
        throw new Error(`${answer.Code ?? answer.status}: ${answer.Message ?? 'no answer'}`)
      found.push(...(answer.SmsSendDetailDTOs?.SmsSendDetailDTO ?? []))
    }
    return found
  }

  return { call, details }
}
