import { createHash } from 'node:crypto'
import { userError } from '@huitou/plugin-api'
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'

/** Requests a second, and how many may come at once after a pause. */
export interface Rate {
  perSecond: number
  burst: number
}

export interface RateLimits {
  /** Of one session or API key. */
  api: Rate
  /** Of one address, while nobody is signed in. */
  anonymous: Rate
  /** To the webhooks of one plugin. */
  hooks: Rate
  /** Of one address, to links, pages and files of messages. */
  public: Rate
}

/** People and their browsers stay far below these; a loop that went wrong does not. */
export const RATE_LIMITS: RateLimits = {
  api: { perSecond: 100, burst: 1_000 },
  anonymous: { perSecond: 20, burst: 200 },
  hooks: { perSecond: 200, burst: 2_000 },
  public: { perSecond: 50, burst: 500 },
}

/** More senders than this at once are forgotten, the oldest first: a flood of names must not fill the memory. */
const SENDERS = 20_000

/** A bucket of requests per sender that refills by itself. Time runs by itself too: nobody sets this clock. */
export class Buckets {
  readonly #rate: Rate
  readonly #now: () => number
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate
    this.#now = now
  }

  /** Takes one request; answers 0, or the milliseconds after which to come back. */
  take(sender: string): number {
    const { perSecond, burst } = this.#rate
    const now = this.#now()
    const bucket = this.#buckets.get(sender) ?? { left: burst, at: now }
    const left = Math.min(burst, bucket.left + ((now - bucket.at) / 1_000) * perSecond)
    const isTaken = left >= 1
    this.#buckets.delete(sender)
    this.#buckets.set(sender, { left: isTaken ? left - 1 : left, at: now })
    if (this.#buckets.size > SENDERS) this.#buckets.delete(this.#buckets.keys().next().value as string)
    return isTaken ? 0 : Math.ceil(((1 - left) / perSecond) * 1_000)
  }

  get size(): number {
    return this.#buckets.size
  }
}

/** Asks whoever sends more than is theirs to come back later. Events have a limit of their own, per write key. */
export function limitRates(limits: Partial<RateLimits> = {}) {
  const rates = { ...RATE_LIMITS, ...limits }
  const buckets = {
    api: new Buckets(rates.api),
    anonymous: new Buckets(rates.anonymous),
    hooks: new Buckets(rates.hooks),
    public: new Buckets(rates.public),
  }
  return createMiddleware(async (c, next) => {
    const [kind, sender] = senderOf(c) ?? []
    const wait = kind === undefined || sender === undefined ? 0 : buckets[kind].take(sender)
    if (wait > 0) {
      c.header('Retry-After', String(Math.ceil(wait / 1_000)))
      throw userError('E_RATE_LIMIT', 'More requests came from here than one second takes', {
        status: 429,
        hint: 'Wait as long as Retry-After says.',
      })
    }
    await next()
  })
}

function senderOf(c: Context): [keyof RateLimits, string] | undefined {
  const { path } = c.req
  if (path.startsWith('/hooks/')) return ['hooks', path.split('/', 3)[2] ?? '']
  if (/^\/(?:l|u|media)\//.test(path)) return ['public', addressOf(c)]
  if (!path.startsWith('/api/')) return undefined
  // Who it is will be found out later, and costs more than counting.
  const sign = c.req.header('Authorization') ?? sessionOf(c.req.header('Cookie'))
  if (sign === undefined) return ['anonymous', addressOf(c)]
  return ['api', createHash('sha256').update(sign).digest('base64')]
}

function sessionOf(cookies: string | undefined): string | undefined {
  return /(?:^|;\s*)(?:__Secure-)?huitou\.session_token=([^;]*)/.exec(cookies ?? '')?.[1]
}

/** As the server found it out from connection and trusted proxies. */
function addressOf(c: Context): string {
  return c.req.header('X-Forwarded-For') ?? 'unknown'
}
