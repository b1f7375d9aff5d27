import { createHmac } from 'node:crypto'
import { AppError } from '@huitou/plugin-api'
import type { WebhookKind } from './webhook.ts'

/** An address that alerts are told at, with what it takes to be believed there. */
export interface Webhook {
  address: string
  kind: WebhookKind
  /** Empty where nothing is signed. */
  secret: string
}

interface Request {
  address: string
  body: string
  headers?: Record<string, string>
}

const POST_MS = 10_000
/** More than this of an answer is not read. */
const ANSWER_BYTES = 16_384

/** Bytes of text that a robot takes: WeCom 2,048 of it, the others 20,000 of the whole body as JSON. */
export const TEXT_BYTES: Readonly<Record<Exclude<WebhookKind, 'json'>, number>> = {
  wecom: 2_048,
  dingtalk: 16_000,
  feishu: 16_000,
}

/** Says `text` in a chat group; throws an error with the robot's words unless it says that it has taken it. */
export async function postText(webhook: Webhook, text: string, now: number): Promise<void> {
  const request = ROBOTS[webhook.kind as keyof typeof ROBOTS](webhook, text, now)
  const { status, said } = await post(webhook, request)
  const answer = parse(said)
  if (answer?.code === 0) return
  throw refused(webhook, { status, code: answer?.code, words: answer?.words ?? said })
}

/**
 * Hands `body` to a program, signed as the webhook channel signs: HMAC-SHA256 of id, time and body. A message that
 * comes again has the same id.
 */
export async function postJson(
  webhook: Webhook,
  { id, body, now }: { id: string; body: object; now: number },
): Promise<void> {
  const { address, secret } = webhook
  const text = JSON.stringify(body)
  const timestamp = String(Math.floor(now / 1000))
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${text}`).digest('hex')
  const { status, said } = await post(webhook, {
    address,
    body: text,
    headers: {
      'X-Webhook-Id': id,
      'X-Webhook-Timestamp': timestamp,
      ...(secret === '' ? {} : { 'X-Webhook-Signature': `v1=${signature}` }),
    },
  })
  if (status < 200 || status > 299) throw refused(webhook, { status, code: undefined, words: said })
}

const ROBOTS: Readonly<
  Record<Exclude<WebhookKind, 'json'>, (webhook: Webhook, text: string, now: number) => Request>
> = {
  wecom: ({ address }, content) => ({
    address,
    body: JSON.stringify({ msgtype: 'text', text: { content } }),
  }),
  /** The signature, over milliseconds, goes into the address. */
  dingtalk: ({ address, secret }, content, now) => {
    const signed = new URL(address)
    if (secret !== '') {
      signed.searchParams.set('timestamp', String(now))
      signed.searchParams.set(
        'sign',
        createHmac('sha256', secret).update(`${now}\n${secret}`).digest('base64'),
      )
    }
    return { address: signed.href, body: JSON.stringify({ msgtype: 'text', text: { content } }) }
  },
  /** The signature, over seconds, goes into the body: time and secret are the key, and nothing is what is signed. */
  feishu: ({ address, secret }, text, now) => {
    const timestamp = String(Math.floor(now / 1000))
    const sign = createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64')
    // A text can call people by a tag; what stands here is names of things.
    const content = { text: text.replaceAll('<', '‹') }
    return {
      address,
      body: JSON.stringify({
        ...(secret === '' ? {} : { timestamp, sign }),
        msg_type: 'text',
        content,
      }),
    }
  },
}

async function post(webhook: Webhook, { address, body, headers }: Request) {
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
      body,
      signal: AbortSignal.timeout(POST_MS),
      redirect: 'manual',
    })
    return { status: answer.status, said: await readSome(answer) }
  } catch (cause) {
    const { message, cause: reason } = cause as Error
    const words = reason instanceof Error ? reason.message || message : message
    throw new AppError(
      'world',
      'E_ALERT_UNREACHABLE',
      `The address does not answer: ${hide(words, webhook)}`,
      {
        details: { message: hide(words, webhook), host: new URL(webhook.address).host },
        hint: 'Look at the address, and whether the server may reach it.',
      },
    )
  }
}

async function readSome(answer: Response): Promise<string> {
  let said = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    said += decoder.decode(chunk as Uint8Array, { stream: true })
    if (said.length > ANSWER_BYTES) break
  }
  return said
}

/** Feishu says `code` and `msg`, or `StatusCode` and `StatusMessage` as it used to; the others `errcode` and `errmsg`. */
function parse(said: string): { code: number; words: string } | undefined {
  try {
    const answer = JSON.parse(said) as Record<string, unknown>
    const code = answer['errcode'] ?? answer['code'] ?? answer['StatusCode']
    const words = answer['errmsg'] ?? answer['msg'] ?? answer['StatusMessage']
    return typeof code === 'number' ? { code, words: typeof words === 'string' ? words : '' } : undefined
  } catch {
    return undefined
  }
}

/** What robots refuse for, by their codes. DingTalk has one for keyword, signature and network: its words tell. */
const REFUSALS: readonly { codes: readonly number[]; words?: RegExp; error(message: string): AppError }[] = [
  {
    codes: [45009, 130101, 410100, 11232],
    words: /too fast|too many|frequency/i,
    error: (message) =>
      new AppError('world', 'E_ALERT_TOO_OFTEN', `The robot was told too often: ${message}`, {
        details: { message },
        hint: 'It is tried again by itself.',
      }),
  },
  {
    codes: [19024],
    words: /key ?words?\b|关键词/i,
    error: (message) =>
      new AppError('world', 'E_ALERT_KEYWORD', `The robot misses its keyword: ${message}`, {
        details: { message },
        hint: 'Enter Huitou among the keywords of the robot: every message begins with it.',
      }),
  },
  {
    codes: [19021],
    words: /\bsign\b|timestamp|签名/i,
    error: (message) =>
      new AppError('world', 'E_ALERT_SIGNATURE', `The robot does not accept the signature: ${message}`, {
        details: { message },
        hint: 'Enter the secret that the robot shows under its signature check, and look at the server’s clock.',
      }),
  },
  {
    codes: [93000, 300001, 300005, 400013, 400101, 400102, 400106, 19001],
    error: (message) =>
      new AppError('world', 'E_ALERT_GONE', `There is no robot at this address: ${message}`, {
        details: { message },
        hint: 'Copy the address of the robot anew.',
      }),
  },
]

function refused(
  webhook: Webhook,
  { status, code, words }: { status: number; code: number | undefined; words: string },
): AppError {
  const quoted = hide(words, webhook).replaceAll(/\s+/g, ' ').trim().slice(0, 300)
  const message = `${code ?? `HTTP ${status}`} ${quoted}`.trim()
  const known =
    code === undefined
      ? undefined
      : REFUSALS.find((each) => each.codes.includes(code) || each.words?.test(words))
  if (known) return known.error(message)
  return new AppError('world', 'E_ALERT_REFUSED', `The other side refused the message: ${message}`, {
    details: { message },
    hint: 'Look at the address and at who reads there.',
  })
}

/** An answer may quote what it was asked; whoever knows address or secret can speak in our name. */
function hide(words: string, { address, secret }: Webhook): string {
  const { pathname, searchParams } = new URL(address)
  const keys = [secret, ...searchParams.values(), ...pathname.split('/').filter((part) => part.length >= 16)]
  return keys.filter((key) => key.length >= 4).reduce((text, key) => text.replaceAll(key, '…'), words)
}
