import path from 'node:path'
import { RuleTester } from 'eslint'
import tseslint from 'typescript-eslint'
import { afterAll, describe, test } from 'vitest'
import { fileNames } from './file-names.ts'
import { importDirection } from './import-direction.ts'
import { noOutsideWorkInTransaction } from './no-outside-work-in-transaction.ts'
import { root } from './place.ts'

Object.assign(RuleTester, { afterAll, describe, it: test, itOnly: test.only })
const tester = new RuleTester({ languageOptions: { parser: tseslint.parser } })
const at = (place: string, code: string) => ({ filename: path.join(root, place), code })
const core = (place: string, code: string) => at(`packages/core/src/${place}`, code)

tester.run('import-direction', importDirection, {
  valid: [
    core('segments/advance.ts', `import { changes } from '../profiles/queries.ts'`),
    core('segments/advance.ts', `import { transact } from '../db/database.ts'`),
    core('segments/routes.ts', `import { problem } from '../http/problem.ts'`),
    core('segments/advance.ts', `import { parse } from './rule.ts'`),
    core('http/app.ts', `import { reportRoutes } from '../reports/routes.ts'`),
    core('reports/run.ts', `import { members } from '../segments/queries.ts'`),
    core('imports/run.ts', `import { append } from '../events/append.ts'`),
    core('schema.ts', `import type { SegmentTables } from './segments/tables.ts'`),
    core('events/append.test.ts', `import { members } from '../segments/queries.ts'`),
    core('events/append.test.ts', `import { createTestApp } from '@huitou/testing'`),
    at('plugins/rfm/src/index.ts', `import { definePlugin } from '@huitou/plugin-api'`),
    at('plugins/rfm/src/index.ts', `import { quantile } from 'd3-array'`),
    at('plugins/rfm/src/score.test.ts', `import { createTestApp } from '@huitou/testing'`),
    at('plugins/channel-sms/src/a.test.ts', `import { openTencentSms } from '@huitou/simulators'`),
    at('plugins/rfm/ui/page.ts', `import { useReport } from '@huitou/admin-kit'`),
    at('apps/admin/src/main.ts', `import type { AppType } from '@huitou/core/client'`),
    at('apps/admin/src/main.ts', `import { type AppType } from '@huitou/core/client'`),
    at('apps/server/src/main.ts', `import rfm from '@huitou/rfm'`),
  ],
  invalid: [
    {
      ...core('events/append.ts', `import { members } from '../segments/queries.ts'`),
      errors: [{ messageId: 'stage' }],
    },
    {
      ...core('profiles/fold.ts', `import type { Report } from '../reports/run.ts'`),
      errors: [{ messageId: 'stage' }],
    },
    {
      ...core('jobs/run.ts', `export { append } from '../events/append.ts'`),
      errors: [{ messageId: 'stage' }],
    },
    {
      ...core('imports/run.ts', `import { fold } from '../profiles/fold.ts'`),
      errors: [{ messageId: 'stage' }],
    },
    {
      ...core('events/append.ts', `import { start } from '../imports/run.ts'`),
      errors: [{ messageId: 'stage' }],
    },
    {
      ...core('events/append.ts', `import { x } from '../somewhere/x.ts'`),
      errors: [{ messageId: 'stage' }],
    },
    {
      ...core('events/append.ts', `await import('../segments/queries.ts')`),
      errors: [{ messageId: 'stage' }],
    },
    {
      ...core('events/append.ts', `import { host } from '@huitou/plugin-host'`),
      errors: [{ messageId: 'package' }],
    },
    {
      ...core('events/append.ts', `import { createTestApp } from '@huitou/testing'`),
      errors: [{ messageId: 'package' }],
    },
    {
      ...at('plugins/rfm/src/index.ts', `import { db } from '@huitou/core'`),
      errors: [{ messageId: 'package' }],
    },
    {
      ...at('plugins/rfm/src/index.ts', `import type { Order } from '@huitou/commerce'`),
      errors: [{ messageId: 'package' }],
    },
    {
      ...at('plugins/rfm/src/a.test.ts', `import { x } from '@huitou/commerce'`),
      errors: [{ messageId: 'package' }],
    },
    {
      ...at('packages/plugin-host/src/load.ts', `import { x } from '@huitou/core'`),
      errors: [{ messageId: 'package' }],
    },
    {
      ...at('packages/plugin-host/src/load.ts', `import { x } from '../../core/src/x.ts'`),
      errors: [{ messageId: 'through' }],
    },
    {
      ...at('apps/admin/src/main.ts', `import { createApp } from '@huitou/core'`),
      errors: [{ messageId: 'typesOnly' }],
    },
  ],
})

tester.run('no-outside-work-in-transaction', noOutsideWorkInTransaction, {
  valid: [
    `await db.transaction().execute(async (tx) => { await tx.insertInto('a').execute() })`,
    `await transact(db, async (db) => { await db.insertInto('a').execute() })`,
    `await transact(this.db, async (tx) => append(tx, { db: 'name' }))`,
    `const rows = await db.selectFrom('a').execute(); await fetch(url)`,
    `await transact(db, (tx) => save(tx)); await db.selectFrom('a').execute()`,
    `await db.selectFrom('a').execute(async () => db)`,
  ],
  invalid: [
    {
      code: `await db.transaction().execute(async (tx) => { await db.insertInto('a').execute() })`,
      errors: [{ messageId: 'handle' }],
    },
    {
      code: `await db.transaction().setIsolationLevel('serializable').execute(async (tx) => read(db))`,
      errors: [{ messageId: 'handle' }],
    },
    {
      code: `await transact(db, async (tx) => database.db.selectFrom('a').execute())`,
      errors: [{ messageId: 'handle' }],
    },
    { code: `await transact(db, async (tx) => this.#db.selectFrom('a').execute())`, errors: 1 },
    {
      code: `await transact(db, async (tx) => { await count(analytics) })`,
      errors: [{ messageId: 'handle' }],
    },
    {
      code: `await transact(db, async (tx) => { for (const row of rows) await read({ db }) })`,
      errors: [{ messageId: 'handle' }],
    },
    { code: `await transact(db, async (tx) => { await fetch(url) })`, errors: [{ messageId: 'network' }] },
    {
      code: `await transact(db, async (tx) => { await huitou.fetch(url) })`,
      errors: [{ messageId: 'network' }],
    },
    { code: `await transact(db, async (tx) => { rows.map(async (row) => fetch(row.url)) })`, errors: 1 },
  ],
})

tester.run('file-names', fileNames, {
  valid: [
    at('packages/core/src/events/append.ts', ''),
    at('packages/core/src/db/reader-pool.test.ts', ''),
    at('apps/admin/src/shell/activity-bar.vue', ''),
    at('eslint.config.js', ''),
  ],
  invalid: [
    {
      ...at('packages/core/src/readerPool.ts', ''),
      errors: [{ messageId: 'kebab', data: { kebab: 'reader-pool.ts' } }],
    },
    {
      ...at('apps/admin/src/shell/ActivityBar.vue', ''),
      errors: [{ messageId: 'kebab', data: { kebab: 'activity-bar.vue' } }],
    },
    { ...at('packages/core/src/utils/dates.ts', ''), errors: [{ messageId: 'vague' }] },
    { ...at('plugins/rfm/src/types.ts', ''), errors: [{ messageId: 'vague' }] },
  ],
})
