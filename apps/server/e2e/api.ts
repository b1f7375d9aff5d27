import { expect } from '@playwright/test'

export const OWNER = { name: '周岚', email: 'lan@example.com', password: 'correct horse battery' }

interface Job {
  kind: string
  state: string
}

/** Talks to a Huitou as its owner, beside the browser. */
export class Api {
  readonly url: string
  /** Of the owner's session, for a browser that should be signed in from the start. */
  readonly cookie: { name: string; value: string }

  constructor(url: string, cookie: { name: string; value: string }) {
    this.url = url
    this.cookie = cookie
  }

  async request<T>(path: string, { method, body }: { method?: string; body?: unknown } = {}): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        Cookie: `${this.cookie.name}=${this.cookie.value}`,
        Origin: this.url,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** Sends Segment messages as a shop does. */
  async send(batch: object[]): Promise<void> {
    const { key } = await this.request<{ key: string }>('/api/settings/write-keys', {
      body: { name: '测试' },
    })
    for (let at = 0; at < batch.length; at += 200) {
      const answer = await fetch(`${this.url}/v1/batch`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${key}:`)}` },
        body: JSON.stringify({ batch: batch.slice(at, at + 200) }),
      })
      const counts = (await answer.json()) as { rejected?: unknown[] }
      if (!answer.ok || counts.rejected?.length)
        throw new Error(`Events were refused: ${JSON.stringify(counts)}`)
    }
  }

  async count(rule: object): Promise<number> {
    return (await this.request<{ count: number }>('/api/segments/count', { body: { rule } })).count
  }

  async search(
    body: object,
  ): Promise<{ rows: { id: number; name: string; columns: Record<string, unknown> }[]; total: number }> {
    return await this.request('/api/customers/search', { body: { limit: 500, ...body } })
  }

  /** Waits until `buyers` customers have RFM scores and no job is under way. */
  async scored(buyers: number, timeout = 30_000): Promise<void> {
    const rule = { all: [{ column: 'rfm_r', op: 'is_set' }] }
    await expect.poll(() => this.count(rule), { timeout, message: 'customers with scores' }).toBe(buyers)
    await this.idle(timeout)
  }

  async idle(timeout = 30_000): Promise<void> {
    const busy = async () => {
      const { jobs } = await this.request<{ jobs: Job[] }>('/api/jobs')
      return jobs.filter(({ state }) => state === 'queued' || state === 'running').map(({ kind }) => kind)
    }
    await expect.poll(busy, { timeout, message: 'jobs under way' }).toEqual([])
  }
}

/** Makes the owner of a fresh Huitou. */
export async function setUpOwner(url: string, locale = 'zh-CN'): Promise<Api> {
  const answer = await fetch(`${url}/api/setup/owner`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: url },
    body: JSON.stringify({ ...OWNER, locale }),
  })
  if (!answer.ok) throw new Error(`The owner was refused: ${await answer.text()}`)
  const [pair = ''] = (answer.headers.getSetCookie()[0] ?? '').split(';', 1)
  const at = pair.indexOf('=')
  const api = new Api(url, { name: pair.slice(0, at), value: pair.slice(at + 1) })
  // Where the machine's npm looks for packages is nothing that tests should ask.
  await api.request('/api/plugins/registries/npm', { method: 'DELETE' })
  return api
}
