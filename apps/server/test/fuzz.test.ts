import { engines } from '@huitou/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostileSegment, hostileValue, type Schema, valueLike } from './hostile-values.ts'
import { startTestServer, type TestServer } from './test-server.ts'

/** Requests to each operation, by each role; more for a long night. */
const RUNS = Number(process.env['HUITOU_FUZZ_RUNS'] ?? 2)
const SEED = Number(process.env['HUITOU_FUZZ_SEED'] ?? 20_261_122)
const ROLES = ['owner', 'analyst', 'agent'] as const
/** Far more than any answer takes on a busy machine; what hangs takes longer. */
const ANSWER_MS = 20_000
const AT_ONCE = 6

/** Would end the session that all the others need, is a stream, or fills the shop. */
const LEFT_OUT = /sign-out|\/api\/live|\/api\/demo|\/api\/auth|\/api\/docs|\/api\/setup\/owner|\/sessions/

/** What only the inside knows: queries, stacks, files. */
const INSIDE =
  /SQLITE_|sqlite3?\b|SqliteError|syntax error at|relation "|column "[^"]*" (?:does not|of)|invalid input syntax|violates|duplicate key|node_modules|\.ts:\d|at (?:async )?[\w.]+ \(|\/packages\/core|select .{1,80} from |insert into|ECONN|TypeError|RangeError|Cannot read propert/i

interface Parameter {
  name: string
  in: 'path' | 'query'
  schema?: Schema
}

interface Operation {
  method: string
  path: string
  parameters: Parameter[]
  body: Schema | undefined
}

interface Asked {
  path: Record<string, string>
  query: [string, string][]
  body: unknown
}

async function readOperations(server: TestServer): Promise<Operation[]> {
  const description = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
    paths: Record<
      string,
      Record<
        string,
        { parameters?: Parameter[]; requestBody?: { content?: Record<string, { schema?: Schema }> } }
      >
    >
  }
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content?.['application/json']?.schema,
    })),
  )
}

function requestsTo({ path, parameters, body, method }: Operation, known: readonly string[]) {
  const places = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '')
  const queries = parameters.filter((parameter) => parameter.in === 'query')
  return fc.record<Asked>({
    path: fc.record(Object.fromEntries(places.map((name) => [name, hostileSegment(known)]))),
    query: fc
      .tuple(
        ...queries.map(({ name, schema }) =>
          fc.option(
            fc
              .oneof(valueLike(schema).map(toText), hostileValue.map(toText))
              .map((text) => [name, text] as [string, string]),
          ),
        ),
      )
      .map((entries) => entries.filter((entry) => entry !== null)),
    body:
      method === 'GET'
        ? fc.constant(undefined)
        : fc.oneof({ weight: 6, arbitrary: valueLike(body) }, { weight: 1, arbitrary: hostileValue }),
  })
}

function toText(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 2_000)
}

/** Half of a character cannot stand in an address. */
const encode = (text: string) => encodeURIComponent(text.toWellFormed())

function addressOf({ path }: Operation, asked: Asked): string {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => encode(asked.path[name] ?? ''))
  const query = asked.query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  return query === '' ? filled : `${filled}?${query}`
}

/** A shop with something of everything, so that ids lead somewhere. */
async function furnish(server: TestServer): Promise<string[]> {
  const call = await server.as()
  const make = async (path: string, body: object) => {
    const answer = await call(path, { method: 'POST', body: JSON.stringify(body) })
    return ((await answer.json()) as { id?: string | number }).id
  }
  const messages = ['a', 'b', 'c'].flatMap((userId) => [
    {
      type: 'identify',
      userId,
      traits: { city: '杭州', phone: '13800138000', email: `${userId}@example.com` },
    },
    { type: 'track', event: 'Order Completed', userId, properties: { order_id: userId, total: 9 } },
  ])
  await call('/v1/batch', {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${server.writeKey}:`)}` },
    body: JSON.stringify({ batch: messages }),
  })
  await server.settle()
  const rule = { all: [{ column: 't_city', op: 'is', value: '杭州' }] }
  const ids = [
    await make('/api/segments', { name: 'Hangzhou', rule }),
    await make('/api/journeys', { name: 'Tea' }),
    await make('/api/tasks', { title: 'Call', customerId: 1 }),
    await make('/api/templates', {
      name: 'Hello',
      channel: 'huitou.channel-sandbox/message',
      defaultLocale: 'en',
      variants: { en: { text: 'Hello' } },
    }),
  ]
  return [...ids.filter((id) => id !== undefined).map(String), 't_city', 'huitou.rfm', 'rfm.overview']
}

describe.each(engines)('on %s', (engine) => {
  test(
    'whatever anybody sends: no answer is our fault, none hangs, none tells what only the inside knows',
    { timeout: 600_000 },
    async () => {
      const wide = { perSecond: 100_000, burst: 100_000 }
      await using server = await startTestServer(engine, [], {
        rateLimits: { api: wide, anonymous: wide, hooks: wide, public: wide },
      })
      const operations = (await readOperations(server)).filter(({ path }) => !LEFT_OUT.test(path))
      const known = await furnish(server)
      const callers = await Promise.all(ROLES.map((role) => server.as({ role })))
      const faults: string[] = []
      let sent = 0
      let understood = 0
      const attempt = async (operation: Operation, caller: (typeof callers)[number], asked: Asked) => {
        sent++
        const { method } = operation
        const address = addressOf(operation, asked)
        const isPublic = !address.startsWith('/api/')
        const answer = await caller(address, {
          method,
          redirect: 'manual',
          signal: AbortSignal.timeout(ANSWER_MS),
          headers: isPublic ? { Authorization: `Basic ${btoa(`${server.writeKey}:`)}` } : {},
          ...(method === 'GET' ? {} : { body: JSON.stringify(asked.body) ?? '' }),
        })
        const text = await answer.text()
        if (answer.ok) understood++
        const shown = `${method} ${address.slice(0, 300)} ${JSON.stringify(asked.body)?.slice(0, 600)} → ${answer.status} ${text.slice(0, 300)}`
        if (answer.status >= 500) throw new Error(shown)
        if (answer.status >= 400 && INSIDE.test(text)) throw new Error(`tells the inside: ${shown}`)
      }
      const queue = [...operations]
      const worker = async () => {
        for (let operation = queue.shift(); operation; operation = queue.shift()) {
          const current = operation
          for (const caller of callers) {
            const property = fc.asyncProperty(requestsTo(current, known), (asked) =>
              attempt(current, caller, asked),
            )
            const outcome = await fc.check(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
            if (outcome.failed) faults.push(String((outcome.errorInstance as Error | null)?.message))
          }
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      expect(faults).toEqual([])
      expect(operations.length).toBeGreaterThan(100)
      expect(sent).toBeGreaterThan(operations.length * ROLES.length)
      // Not everything was turned away at the door.
      expect(understood).toBeGreaterThan(sent / 10)
      // It still does what it is there for.
      const call = await server.as()
      expect((await call('/api/columns')).status).toBe(200)
    },
  )
})
