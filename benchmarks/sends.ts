// How many messages a second go out to a provider that takes 50 ms for an answer, and how many events a second are
// taken in while a journey lets a hundred thousand customers in.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Core, createCore, normalizeMessage, openDatabase } from '@huitou/core'
import { writeContactPolicy } from '@huitou/core/deliveries/policy'
import { createJourney, publishJourney } from '@huitou/core/journeys/queries'
import { startPostgres } from '@huitou/testing/postgres-server'
import { engine, numberArgument } from './harness/huitou.ts'
import { printResult, timed } from './harness/result.ts'

const messages = numberArgument('messages', 20_000)
const customers = numberArgument('customers', 100_000)
const answerMs = 50

const folder = mkdtempSync(path.join(tmpdir(), 'huitou-bench-sends-'))
const server = engine === 'postgres' ? await startPostgres() : undefined
const database = openDatabase(
  server ? { url: server.url } : { file: path.join(folder, 'huitou.db'), readers: 1 },
)
const core = await createCore({ database, dataDir: folder })
let taken = 0
addSlowChannel(core)
await writeContactPolicy(database.db, {
  quietHours: null,
  caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
  budgets: [],
  fatigue: null,
  consentNeeded: [],
})

await publish('sends', { hi: { type: 'send', channel: 'bench.channel/push', content: { text: 'Hi' } } })
await append(messages, 'bench.sends', 's')
while (await core.profiles.advance()) continue
while (await core.journeys.advance()) continue
const before = process.cpuUsage()
const sending = await timed(async () => {
  while (taken < messages) await core.deliveries.advance()
  await core.deliveries.finish()
})
const used = process.cpuUsage(before)
printResult({
  bench: 'sends',
  metric: `messages to a provider that takes ${answerMs} ms, a hundred at once`,
  value: Math.round(messages / (sending / 1_000)),
  unit: 'messages/s',
  budget: '>= 2,940/s',
  engine,
  // Of this process: what a busy machine leaves of it does not matter here.
  cpuMicrosPerMessage: Math.round((used.user + used.system) / messages),
})

await publish('enters', { wait: { type: 'wait', for: { days: 30 } } })
core.start()
const ingesting = await timed(() => append(customers, 'bench.enters', 'e'))
const entering = await timed(async () => {
  while ((await entered()) < customers) await sleep(50)
})
printResult({
  bench: 'sends',
  metric: `events taken in while a journey lets ${customers} customers in`,
  value: Math.round(customers / (ingesting / 1_000)),
  unit: 'events/s',
  budget: '>= 9,600/s',
  engine,
  enrolledPerSecond: Math.round(customers / ((ingesting + entering) / 1_000)),
})
await core.stop()
await database.close()
await server?.stop()
rmSync(folder, { recursive: true, force: true })

async function entered(): Promise<number> {
  const row = await database.analytics
    .selectFrom('journey_stats')
    .select((stat) => stat.fn.sum<number>('count').as('count'))
    .where('node', '=', '$entry')
    .executeTakeFirst()
  return Number(row?.count ?? 0) - messages
}

async function publish(name: string, nodes: Record<string, object>): Promise<void> {
  const { id } = await createJourney(core, {
    name,
    definition: {
      trigger: { type: 'event', event: `bench.${name}` },
      holdout: { percent: 0 },
      start: Object.keys(nodes)[0],
      nodes,
    },
  })
  await publishJourney(core, id, 'bench')
}

async function append(count: number, name: string, prefix: string): Promise<void> {
  const toEvent = (index: number) => {
    const userId = `${prefix}${index}`
    const event = normalizeMessage(
      {
        type: 'track',
        event: name,
        userId,
        context: { externalIds: [{ type: 'push_token', id: `t-${userId}` }] },
      },
      { source: 'bench', receivedAt: Date.now() },
    )
    if (event instanceof Error) throw event
    return event
  }
  for (let from = 0; from < count; from += 1_000)
    await core.events.append(
      Array.from({ length: Math.min(1_000, count - from) }, (_, index) => toEvent(from + index)),
    )
}

function addSlowChannel({ points }: Core): void {
  const owner = { plugin: 'bench.channel', prefix: 'bench', text: (text: unknown) => text as never }
  points.channels.add(owner, 'bench.channel/push', {
    id: 'push',
    title: 'Push',
    messages: ['text'],
    guarantee: 'pushed',
    address: 'push_token',
    content: { type: 'object' },
    run: {
      async send({ deliveries }) {
        await sleep(answerMs)
        taken += deliveries.length
        return deliveries.map(({ key }) => ({ key, outcome: 'sent' as const, providerId: key }))
      },
    },
  })
}
