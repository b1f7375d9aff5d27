import { type NewEvent, normalizeMessage } from '@huitou/core'
import { FakeClock, type TestEngine } from '@huitou/testing'
import { sql } from 'kysely'
import { generateDemoShop } from '../src/demo/demo-shop.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const DAY = 86_400_000
/** Events arrive in bundles, this often. */
const TICK = 10 * 60_000

export interface PlayedShop {
  server: TestServer
  clock: FakeClock
  begin: number
  end: number
  /** Lets time pass until the end: events arrive, and whatever falls due happens at its moment. */
  play(): Promise<void>
}

/** The demo shop as it was `days` ago, with everything since then still to come. */
export async function openPlayedShop(
  engine: TestEngine,
  { end, days, customers, more = [] }: { end: number; days: number; customers: number; more?: object[] },
): Promise<PlayedShop> {
  const begin = end - days * DAY
  const clock = new FakeClock(begin)
  const server = await startTestServer(engine, [], { clock })
  const { core } = server.huitou
  const timeOf = (message: object) => Date.parse((message as { timestamp: string }).timestamp)
  const messages = [...[...generateDemoShop({ now: end, customers })].flat(), ...more].toSorted(
    (a, b) => timeOf(a) - timeOf(b),
  )
  const append = async (part: object[]) =>
    await core.events.append(
      part.map((message) => {
        const event = normalizeMessage(message, { source: 'demo', receivedAt: clock.now() })
        if (event instanceof Error) throw event
        return event satisfies NewEvent
      }),
    )
  const coming = messages.filter((message) => timeOf(message) > begin)
  await append(messages.filter((message) => timeOf(message) <= begin))
  await server.settle()
  return { server, clock, begin, end, play }

  async function play(): Promise<void> {
    let next = 0
    let day = 0
    for (;;) {
      const arrival = coming[next] ? Math.ceil(timeOf(coming[next] as object) / TICK) * TICK : Infinity
      const at = Math.max(clock.now(), Math.min(await firstDue(), arrival))
      if (at > end) return
      clock.set(at)
      const from = next
      while (coming[next] && timeOf(coming[next] as object) <= at) next++
      if (next > from) await append(coming.slice(from, next))
      // What changes with the day, such as scores, does so once a day.
      if (Math.floor(at / DAY) !== day) await core.settle()
      day = Math.floor(at / DAY)
      while (await core.profiles.advance());
      while (await core.journeys.advance());
      while (await core.deliveries.advance());
    }
  }

  async function firstDue(): Promise<number> {
    const { rows } = await sql<{ at: number | string | null }>`select min(at) as at from (
      select min(due_at) as at from enrolments where due_at is not null
      union all select min(next_run_at) from journeys where state = 'live'
      union all select min(due_at) from deliveries where state = 'planned') as due`.execute(core.database.db)
    return Number(rows[0]?.at ?? Infinity)
  }
}
