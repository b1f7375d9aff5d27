import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

function sender(server: TestServer) {
  const acknowledged = new Set<string>()
  let sent = 0
  return {
    acknowledged,
    async send(): Promise<Response> {
      const batch = Array.from({ length: 50 }, () => ({
        type: 'track',
        event: 'Tea Poured',
        userId: `u${sent % 7}`,
        messageId: `m${sent++}`,
        properties: { note: 'x'.repeat(500) },
      }))
      const answer = await fetch(`${server.url}/v1/batch`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Authorization: `Basic ${btoa(`${server.writeKey}:`)}`,
        },
        body: JSON.stringify({ batch }),
      })
      if (answer.ok) for (const { messageId } of batch) acknowledged.add(messageId)
      return answer
    },
  }
}

async function storedIds(server: TestServer): Promise<string[]> {
  const rows = await server.huitou.core.database.db.selectFrom('events').select('message_id').execute()
  return rows.map(({ message_id }) => message_id)
}

test('a full disk: nothing acknowledged is lost, senders are asked to come back, and it goes on by itself', async () => {
  await using server = await startTestServer()
  const { db } = server.huitou.core.database
  const { send, acknowledged } = sender(server)
  expect((await send()).status).toBe(200)
  // SQLite answers the same as when the file system has no room: the file may grow no further.
  const { rows } = await sql<{ pages: number }>`select page_count as pages from pragma_page_count()`.execute(
    db,
  )
  await sql.raw(`pragma max_page_count = ${(rows[0]?.pages ?? 0) + 40}`).execute(db)
  let refused: Response | undefined
  for (let attempt = 0; attempt < 40 && !refused; attempt++) {
    const answer = await send()
    if (!answer.ok) refused = answer
  }
  expect(refused?.status).toBe(503)
  expect(Number(refused?.headers.get('Retry-After'))).toBeGreaterThan(0)
  expect(await refused?.json()).toMatchObject({ code: 'E_DISK_FULL' })
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  // Who only reads notices nothing.
  const call = await server.as().catch(() => undefined)
  if (call) expect((await call('/api/columns')).status).toBe(200)
  await sql.raw('pragma max_page_count = 1073741823').execute(db)
  expect((await send()).status).toBe(200)
  const stored = await storedIds(server)
  expect(stored.length).toBe(new Set(stored).size)
  expect([...acknowledged].filter((id) => !stored.includes(id))).toEqual([])
  await server.settle()
  const folded = await db.selectFrom('timeline').select('seq').execute()
  expect(folded.length).toBe(stored.length)
})

test('a disk that turned read-only: the same, and the code says which', async () => {
  await using server = await startTestServer()
  const { db } = server.huitou.core.database
  const { send, acknowledged } = sender(server)
  expect((await send()).status).toBe(200)
  await sql.raw('pragma query_only = 1').execute(db)
  const refused = await send()
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
    503,
    'E_DISK_READ_ONLY',
  ])
  expect(refused.headers.get('Retry-After')).toBeTruthy()
  await sql.raw('pragma query_only = 0').execute(db)
  expect((await send()).status).toBe(200)
  const stored = await storedIds(server)
  expect([...acknowledged].filter((id) => !stored.includes(id))).toEqual([])
})

test('a folder that cannot be written is named at the start', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-read-only-'))
  const { readConfig } = await import('../src/config.ts')
  // A file stands where the folder should be: nobody, whatever their rights, makes it.
  expect(() => readConfig('/dev/null/huitou', {})).toThrow(
    expect.objectContaining({ code: 'E_DATA_FOLDER', hint: expect.stringContaining('--data') as string }),
  )
  rmSync(folder, { recursive: true, force: true })
})
