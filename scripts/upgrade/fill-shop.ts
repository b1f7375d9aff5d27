import { setTimeout as sleep } from 'node:timers/promises'

/** A server, signed in to as its owner. */
export interface Shop {
  url: string
  ask(path: string, body?: object, method?: string): Promise<unknown>
}

const OWNER = { email: 'lan@example.com', password: 'correct horse battery' }

export async function signIn(url: string): Promise<Shop> {
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: url },
    body: JSON.stringify(OWNER),
  })
  if (!answer.ok) throw new Error(`The owner cannot sign in: ${answer.status} ${await answer.text()}`)
  return shopOf(url, answer)
}

/** Makes an owner, waits for the demo shop, and does what people do in the first hour. */
export async function fillShop(url: string): Promise<Shop> {
  const made = await fetch(`${url}/api/setup/owner`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: url },
    body: JSON.stringify({ name: 'Lan', locale: 'en', ...OWNER }),
  })
  if (!made.ok) throw new Error(`No owner: ${made.status} ${await made.text()}`)
  const shop = shopOf(url, made)
  await jobsDone(shop)
  await shop.ask(
    '/api/settings',
    { brandName: 'Tea House', currency: 'EUR', timeZone: 'Europe/Berlin', locale: 'en' },
    'PUT',
  )
  const rule = { all: [{ column: 'commerce_orders', op: 'gte', value: 2 }] }
  await shop.ask('/api/segments', { name: 'Bought twice', rule })
  await shop.ask('/api/journeys', {
    name: 'Hello',
    definition: {
      trigger: { type: 'event', event: 'Tea Poured' },
      start: 'wait',
      nodes: { wait: { type: 'wait', for: { days: 3 } } },
    },
  })
  const { key } = (await shop.ask('/api/settings/write-keys', { name: 'Website' })) as { key: string }
  for (let batch = 0; batch < 5; batch++) {
    const events = Array.from({ length: 100 }, (_, index) => ({
      type: 'track',
      event: 'Tea Poured',
      userId: `guest-${index}`,
      messageId: `pour-${batch}-${index}`,
      context: { traits: { email: `guest-${index}@example.com` } },
    }))
    const answer = await fetch(`${url}/v1/batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${key}:`)}` },
      body: JSON.stringify({ batch: events }),
    })
    if (!answer.ok) throw new Error(`Events: ${answer.status} ${await answer.text()}`)
  }
  // Until everything that was sent is folded, scored and counted.
  for (let last = '', same = 0; same < 8;) {
    await sleep(1_000)
    const total = JSON.stringify(await shop.ask('/api/segments'))
    same = total === last ? same + 1 : 0
    last = total
  }
  return shop
}

async function jobsDone({ ask }: Shop): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const { jobs } = (await ask('/api/jobs?limit=50')) as { jobs: { state: string }[] }
    if (jobs.length > 0 && jobs.every(({ state }) => state !== 'queued' && state !== 'running')) return
    await sleep(1_000)
  }
  throw new Error('The demo shop was not loaded within ten minutes')
}

function shopOf(url: string, answer: Response): Shop {
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')
  return {
    url,
    async ask(path, body, method = body ? 'POST' : 'GET') {
      const headers = { Cookie: cookie, Origin: url, ...(body ? { 'Content-Type': 'application/json' } : {}) }
      const got = await fetch(`${url}${path}`, {
        method,
        headers,
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      const text = await got.text()
      if (!got.ok) throw new Error(`${method} ${path}: ${got.status} ${text.slice(0, 300)}`)
      return text === '' ? undefined : JSON.parse(text)
    },
  }
}
