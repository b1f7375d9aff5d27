import { createHmac } from 'node:crypto'
import { openHttp } from './http-simulator.ts'
import type { HttpSimulator, SimulatedRequest } from './http-simulator.ts'

export interface GroupRobotOptions {
  kind: 'wecom' | 'dingtalk' | 'feishu'
  /** Asked for where the robot checks signatures; WeCom's never do. */
  secret?: string
  /** Has to stand in every message. */
  keyword?: string
  now?(): number
}

/** The robot of a chat group at WeCom, DingTalk or Feishu: says no with status 200, as these do. */
export interface GroupRobot extends HttpSimulator {
  /** What is posted to, key included. */
  readonly address: string
  /** What stands in the group. */
  readonly said: string[]
}

interface Rules extends GroupRobotOptions {
  key: string
  now(): number
  isTooOften(): boolean
}

/** Something refused, in the robot's own words. */
type Refusal = readonly [code: number, words: string]

const minute = 60_000
const hour = 60 * minute
const robots = {
  wecom: { path: '/cgi-bin/webhook/send?key=', perMinute: 20, read: readWecom, answer: asErrcode },
  dingtalk: { path: '/robot/send?access_token=', perMinute: 20, read: readDingtalk, answer: asErrcode },
  feishu: { path: '/open-apis/bot/v2/hook/', perMinute: 100, read: readFeishu, answer: asCode },
}

/** Opens a robot that checks body, length, signature, keyword and messages a minute as strictly as the real one. */
export async function openGroupRobot(options: GroupRobotOptions): Promise<GroupRobot> {
  const { kind, now = Date.now } = options
  const { path, perMinute, read, answer } = robots[kind]
  const said: string[] = []
  const times: number[] = []
  const key = '5f1c0a52-77aa-4d0b-9a6b-2f6f3a0b9c11'
  const isTooOften = () => times.filter((at) => now() - at < minute).length >= perMinute
  const http = await openHttp((request) => {
    const message = read(request, { ...options, key, now, isTooOften })
    if (typeof message !== 'string') return { status: 200, body: answer(...message) }
    times.push(now())
    said.push(message)
    return { status: 200, body: answer(0, kind === 'feishu' ? 'success' : 'ok') }
  })
  return Object.assign(http, { address: `${http.url}${path}${key}`, said })
}

function asErrcode(errcode: number, errmsg: string) {
  return { errcode, errmsg }
}

function asCode(code: number, msg: string) {
  const answer = { code, data: {}, msg }
  return code === 0 ? { StatusCode: 0, StatusMessage: msg, ...answer } : answer
}

function readWecom(request: SimulatedRequest, { key, isTooOften }: Rules): string | Refusal {
  const query = queryOf(request)
  if (query.get('key') !== key) return [93000, 'invalid webhook url, hint: [1], from ip: 127.0.0.1']
  const body = jsonOf(request)
  const content = textOf(body, ['msgtype', 'text'], 'content')
  if (content === undefined) return [40008, 'invalid message type']
  if (Buffer.byteLength(content) > 2_048) return [40058, 'text.content exceed max length 2048']
  if (isTooOften()) return [45009, 'api freq out of limit']
  return content
}

function readDingtalk(
  request: SimulatedRequest,
  { key, secret, keyword, now, isTooOften }: Rules,
): string | Refusal {
  const query = queryOf(request)
  if (request.method !== 'POST') return [43002, '需要POST请求']
  if (query.get('access_token') !== key) return [300005, 'token is not exist']
  if (!isJson(request)) return [43004, '无效的HTTP HEADER Content-Type']
  const content = textOf(jsonOf(request), ['msgtype', 'text'], 'content')
  if (content === undefined) return [400105, 'unsupported message type']
  if (request.body.length > 20_000) return [460101, 'message too long, exceed 20000 bytes']
  if (secret !== undefined) {
    const timestamp = query.get('timestamp') ?? ''
    if (!/^\d{13}$/.test(timestamp) || Math.abs(Number(timestamp) - now()) > hour)
      return [310000, 'invalid timestamp, more: [https://ding-doc.dingtalk.com]']
    const wanted = createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64')
    if (query.get('sign') !== wanted) return [310000, 'sign not match, more: [https://ding-doc.dingtalk.com]']
  }
  if (keyword !== undefined && !content.includes(keyword))
    return [310000, 'keywords not in content, more: [https://ding-doc.dingtalk.com]']
  if (isTooOften()) return [130101, 'send too fast, exceed 20 times per minute']
  return content
}

function readFeishu(
  request: SimulatedRequest,
  { key, secret, keyword, now, isTooOften }: Rules,
): string | Refusal {
  if (!request.target.endsWith(`/${key}`))
    return [19001, 'param invalid: incoming webhook access token invalid']
  const body = isJson(request) ? jsonOf(request) : undefined
  const signed = secret === undefined ? [] : ['timestamp', 'sign']
  const content = textOf(body, ['msg_type', 'content', ...signed], 'text')
  if (content === undefined || request.body.length > 20_480) return [9499, 'Bad Request']
  if (secret !== undefined) {
    const { timestamp, sign } = body as Record<string, unknown>
    const wanted = createHmac('sha256', `${String(timestamp)}\n${secret}`)
      .update('')
      .digest('base64')
    const isNow = /^\d{10}$/.test(String(timestamp)) && Math.abs(Number(timestamp) * 1000 - now()) <= hour
    if (sign !== wanted || !isNow)
      return [19021, 'sign match fail or timestamp is not within one hour from current time']
  }
  if (keyword !== undefined && !content.includes(keyword)) return [19024, 'Key Words Not Found']
  if (isTooOften()) return [11232, 'frequency limited psm[lark.oapi.app_platform_runtime]']
  return content
}

const queryOf = ({ target }: SimulatedRequest) => new URLSearchParams(target.split('?', 2)[1])
const isJson = ({ method, headers }: SimulatedRequest) =>
  method === 'POST' && (headers['content-type'] ?? '').startsWith('application/json')

function jsonOf({ body }: SimulatedRequest): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown
  } catch {
    return undefined
  }
}

/** The text of a text message that has these members and no others. */
function textOf(body: unknown, members: readonly string[], name: string): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const given = body as Record<string, unknown>
  const [type = '', holder = ''] = members
  if (Object.keys(given).toSorted().join() !== [...members].toSorted().join()) return undefined
  const text = (given[holder] as Record<string, unknown> | undefined)?.[name]
  return given[type] === 'text' && typeof text === 'string' && text !== '' ? text : undefined
}
