import type { Shop } from './fill-shop.ts'

/** What a server says of what people made and of customers, by what was asked. */
export type Answers = Record<string, unknown>

/** Fields that change while nobody does anything: times of work, figures of a moment. */
const PASSING = new Set([
  'updatedAt',
  'lastUsedAt',
  'seenAt',
  'tookMs',
  'entered24h',
  'left24h',
  'ranAt',
  'since',
  'cursor',
  'next',
  // What a role may do is a matter of the version.
  'permissions',
])

type Row = { id: number | string }

export async function readAnswers({ ask }: Shop): Promise<Answers> {
  const answers: Answers = {}
  const keep = async (name: string, path = name, body?: object) => {
    // What an older version does not know is not compared.
    answers[name] = await ask(path, body).catch((error: unknown) =>
      /: 404 /.test(String(error)) ? undefined : Promise.reject(error as Error),
    )
    return answers[name]
  }
  for (const path of ['me', 'settings', 'settings/write-keys', 'segments', 'templates', 'task-queues'])
    await keep(`/api/${path}`)
  const { journeys = [] } = ((await keep('/api/journeys')) ?? {}) as { journeys?: Row[] }
  for (const { id } of journeys.slice(0, 10)) await keep(`/api/journeys/${id}`)
  const search = { sort: { column: 'commerce_spend', dir: 'desc' }, limit: 100 }
  const columns = ['commerce_orders', 'commerce_spend', 'commerce_last_order_at', 'rfm_segment']
  const found = (await keep('customers', '/api/customers/search', { ...search, columns })) as { rows: Row[] }
  for (const { id } of found.rows.slice(0, 20)) {
    await keep(`/api/customers/${id}`)
    await keep(`/api/customers/${id}/timeline?limit=50`)
    await keep(`/api/customers/${id}/segments`)
  }
  return Object.fromEntries(Object.entries(answers).filter(([, answer]) => answer !== undefined))
}

/** What stood in the earlier answers and does not stand in the later ones, with where. What is new may be there. */
export function compare(before: unknown, after: unknown, at = ''): string[] {
  if (Array.isArray(before)) {
    if (!Array.isArray(after)) return [`${at}: no list any more`]
    // Rows that people know by an id may come in another order, and more of them may be there.
    const byId = new Map(after.map((item) => [idOf(item), item] as const))
    return before.flatMap((item, index) => {
      const id = idOf(item)
      const same = id === undefined ? (after[index] as unknown) : byId.get(id)
      return compare(item, same, `${at}[${id ?? index}]`)
    })
  }
  if (typeof before === 'object' && before !== null) {
    if (typeof after !== 'object' || after === null) return [`${at}: gone`]
    return Object.entries(before).flatMap(([name, value]) =>
      PASSING.has(name) ? [] : compare(value, (after as Record<string, unknown>)[name], `${at}.${name}`),
    )
  }
  // How much of a value is masked is a matter of the version.
  if (isMasked(before) && isMasked(after)) return []
  return before === after ? [] : [`${at}: ${JSON.stringify(before)}, now ${JSON.stringify(after)}`]
}

function isMasked(value: unknown): boolean {
  return typeof value === 'string' && value.includes('**')
}

function idOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return undefined
  const { id, seq } = item as { id?: unknown; seq?: unknown }
  return id ?? seq
}
