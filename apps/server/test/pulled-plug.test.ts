import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWriteKey, systemClock } from '@huitou/core'
import { expect, test } from 'vitest'
import type { Config } from '../src/config.ts'
import { examine } from '../src/doctor/examine.ts'
import { openHuitou } from '../src/open-huitou.ts'
import { startServerProcess } from './server-process.ts'

/** Each pulls the plug twice: a copy of the folder as it is at some instant, and then the process itself. */
const ROUNDS = Number(process.env['HUITOU_PLUG_ROUNDS'] ?? 1)
const SENDERS = 3
const BATCH = 20
const silent = { info: () => {}, warn: () => {}, error: () => {} }

const configOf = (dataDir: string): Config => ({
  dataDir,
  databaseUrl: undefined,
  analyticsUrl: undefined,
  publicUrl: undefined,
  secret: 'only for tests, but long enough to be one',
  logLevel: 'silent',
})

interface Sent {
  acknowledged: Set<string>
  next: number
  /** Called whenever something was acknowledged. */
  heard?: () => void
}

/** Sends until the server is gone, and keeps what was answered with 200. */
async function sendUntilGone(url: string, key: string, sent: Sent): Promise<void> {
  for (;;) {
    const batch = Array.from({ length: BATCH }, () => {
      const number = sent.next++
      return {
        type: 'track',
        event: 'Order Completed',
        messageId: `m${number}`,
        userId: `u${number % 50}`,
        properties: { order_id: `o${number}`, total: number % 90, currency: 'CNY' },
      }
    })
    const isKept = await fetch(`${url}/v1/batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${key}:`)}` },
      body: JSON.stringify({ batch }),
    }).then(
      (answer) => answer.ok,
      () => undefined,
    )
    if (isKept === undefined) return
    if (!isKept) continue
    for (const { messageId } of batch) sent.acknowledged.add(messageId)
    sent.heard?.()
  }
}

/** Opens what was left, and looks at all of it. */
async function lookInto(dataDir: string, acknowledged: ReadonlySet<string>): Promise<void> {
  await using huitou = await openHuitou({ config: configOf(dataDir), log: silent })
  await huitou.auth()
  const { db } = huitou.core.database
  const rows = await db.selectFrom('events').select('message_id').execute()
  const stored = new Set(rows.map(({ message_id }) => message_id))
  expect(rows.length).toBe(stored.size)
  expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([])
  const before = await examine(huitou, configOf(dataDir))
  expect(before.filter(({ level }) => level === 'fail')).toEqual([])
  await huitou.core.settle()
  const after = await examine(huitou, configOf(dataDir))
  expect(after.filter(({ level }) => level === 'fail')).toEqual([])
  expect(after.find(({ check }) => check === 'stages')?.detail).toBe('every event is folded')
}

test(
  'the plug pulled at any instant: what is left opens, nothing acknowledged is lost, doctor finds nothing wrong',
  { timeout: 60_000 + ROUNDS * 60_000 },
  async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-plug-'))
    let key: string
    {
      await using huitou = await openHuitou({ config: configOf(dataDir), log: silent })
      key = (await createWriteKey(huitou.core.database.db, systemClock, 'plug')).key
    }
    const sent: Sent = { acknowledged: new Set(), next: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      const { child, url, ended } = await startServerProcess(dataDir, {
        env: { HUITOU_LOG_LEVEL: 'silent', HUITOU_SECRET: configOf(dataDir).secret },
      })
      const first = Promise.withResolvers<void>()
      sent.heard = first.resolve
      const senders = Array.from({ length: SENDERS }, () => sendUntilGone(url, key, sent))
      await first.promise
      // These waits are the instants: any is as good as another.
      await sleep(Math.random() * 600)
      // A process that stands still writes nothing, so the copy is of one instant, as a snapshot of the disk is.
      child.kill('SIGSTOP')
      const known = new Set(sent.acknowledged)
      const copy = mkdtempSync(path.join(tmpdir(), 'huitou-plug-copy-'))
      cpSync(dataDir, copy, { recursive: true })
      child.kill('SIGCONT')
      await sleep(Math.random() * 300)
      child.kill('SIGKILL')
      await Promise.all([ended, ...senders])
      await lookInto(copy, known)
      rmSync(copy, { recursive: true, force: true })
      await lookInto(dataDir, sent.acknowledged)
    }
    rmSync(dataDir, { recursive: true, force: true })
  },
)
