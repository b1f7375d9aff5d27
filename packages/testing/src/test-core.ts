import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type Core,
  type CoreOptions,
  createCore,
  type NewEvent,
  normalizeMessage,
  openDatabase,
} from '@huitou/core'
import type { EventTypeContribution, FeatureContribution } from '@huitou/plugin-api'
import { coreTemplate } from './core-template.ts'
import { FakeClock } from './fake-clock.ts'
import { createPostgresDatabase } from './postgres.ts'
import { copySqliteDatabase } from './sqlite.ts'
import type { DatabaseTemplate } from './template.ts'

export type TestEngine = 'sqlite' | 'postgres'

/** Engines that every test of a query runs on. */
export const engines: TestEngine[] = ['sqlite', 'postgres']

export interface TestCore extends Core, AsyncDisposable {
  readonly clock: FakeClock
  /** Declares event types and features as a plugin called `shop` would. */
  declare(contributions: { events?: EventTypeContribution[]; features?: FeatureContribution[] }): void
  /** Appends messages of the Segment protocol; a message that the core refuses fails the test. */
  send(...messages: Record<string, unknown>[]): Promise<{ accepted: number; duplicates: number }>
}

/** Personal data is sealed in tests as it is in an installation. */
export const TEST_SECRET = 'a secret that only tests have'

export interface TestCoreOptions extends Pick<CoreOptions, 'journeys' | 'deliveries' | 'secret'> {
  engine?: TestEngine
  now?: string
}

/** A core on a database of its own, with a clock that stands still. Gone when the scope ends. */
export async function createTestCore({
  engine = 'sqlite',
  now = '2026-03-01T12:00:00+08:00',
  ...options
}: TestCoreOptions = {}): Promise<TestCore> {
  const { database, dataDir, remove } = await openTestDatabase(engine, coreTemplate)
  const clock = new FakeClock(now)
  const core = await createCore({ secret: TEST_SECRET, ...options, database, dataDir, clock })
  return {
    ...core,
    clock,
    declare({ events = [], features = [] }) {
      const owner = {
        plugin: 'test.shop',
        prefix: 'shop',
        text: (text: string) => ({ en: text, 'zh-CN': text }),
      }
      for (const type of events) core.points.eventTypes.add(owner, type.name, type)
      for (const feature of features) core.points.features.add(owner, `shop.${feature.id}`, feature)
    },
    send: (...messages) => core.events.append(messages.map((message) => toEvent(message, clock.now()))),
    async [Symbol.asyncDispose]() {
      await core.stop()
      await database.close()
      await remove()
    },
  }
}

/** An open database on `engine`, empty or a copy of `template`, and what removes it. */
export async function openTestDatabase(engine: TestEngine, template?: DatabaseTemplate) {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-test-'))
  const removeFolder = () => rmSync(dataDir, { recursive: true, force: true })
  if (engine === 'sqlite') {
    const file = path.join(dataDir, 'huitou.db')
    if (template) await copySqliteDatabase(template, file)
    return {
      database: openDatabase({ file, readers: 1 }),
      dataDir,
      remove: async () => removeFolder(),
    }
  }
  const { url, drop } = await createPostgresDatabase(template)
  return {
    database: openDatabase({ url, poolSize: 4 }),
    dataDir,
    async remove() {
      await drop()
      removeFolder()
    },
  }
}

function toEvent(message: Record<string, unknown>, now: number): NewEvent {
  const event = normalizeMessage(message, { source: 'test', receivedAt: now })
  if (event instanceof Error) throw event
  return event
}
