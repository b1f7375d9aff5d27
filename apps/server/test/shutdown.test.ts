import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { createWriteKey, openDatabase, systemClock } from '@huitou/core'
import { expect, test } from 'vitest'
import { openHuitou } from '../src/open-huitou.ts'
import { runHuitou, startServerProcess } from './server-process.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** Resolves once nobody takes connections there any more. */
async function doorClosed(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (!isOpen) return
  }
}

test(
  'SIGTERM: what has begun is answered, work under way is handed back, and the process ends with 0',
  { timeout: 120_000 },
  async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-shutdown-'))
    const file = path.join(dataDir, 'huitou.db')
    const config = {
      dataDir,
      databaseUrl: undefined,
      analyticsUrl: undefined,
      publicUrl: undefined,
      secret: 'only for tests, but long enough to be one',
      logLevel: 'silent',
    }
    let key: string
    {
      await using huitou = await openHuitou({ config, log: silent })
      key = (await createWriteKey(huitou.core.database.db, systemClock, 'shutdown')).key
    }
    // The demo shop is a job that takes longer than this test.
    const server = await startServerProcess(dataDir, {
      args: ['--demo'],
      env: { HUITOU_SECRET: config.secret },
    })
    const { port } = new URL(server.url)
    const sending = request({
      port,
      host: '127.0.0.1',
      path: '/v1/track',
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Basic ${btoa(`${key}:`)}`,
        'Transfer-Encoding': 'chunked',
      },
    })
    sending.write('{"event":"Tea Poured","userId":"u",')
    // An open page listens to what changes; it must not hold the process.
    const stream = fetch(`${server.url}/api/live`).catch(() => {})
    await fetch(`${server.url}/healthz`)
    const stopped = performance.now()
    server.child.kill('SIGTERM')
    await doorClosed(Number(port))
    sending.end('"messageId":"last"}')
    const [answer] = (await once(sending, 'response')) as [NodeJS.ReadableStream & { statusCode: number }]
    expect(answer.statusCode).toBe(200)
    expect(await json(answer)).toEqual({ success: true })
    expect(await server.ended).toEqual([0, null])
    expect(performance.now() - stopped).toBeLessThan(15_000)
    await stream
    const database = openDatabase({ file, readers: 1 })
    const { db } = database
    expect(
      await db.selectFrom('events').select('seq').where('message_id', '=', 'last').execute(),
    ).toHaveLength(1)
    const jobs = await db.selectFrom('jobs').select(['kind', 'state', 'leased_until']).execute()
    expect(jobs.find(({ kind }) => kind === 'demo')).toMatchObject({ state: 'queued', leased_until: null })
    expect(jobs.filter(({ leased_until }) => leased_until !== null)).toEqual([])
    await database.close()
    rmSync(dataDir, { recursive: true, force: true })
  },
)

test('a server that cannot listen says so, ends, and leaves its folder to the next try', async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-port-'))
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const start = () => runHuitou(['serve', '--data', dataDir, '--port', String(port)])
  expect(await start()).toMatchObject({ code: 2, err: expect.stringContaining('E_PORT_TAKEN') })
  expect(await start()).toMatchObject({ code: 2, err: expect.stringContaining('E_PORT_TAKEN') })
  other.close()
  rmSync(dataDir, { recursive: true, force: true })
})
