import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const CODE = `
export default {
  activate(huitou) {
    huitou.actions.register('greet', {
      run: (input, { key, customerId, now, signal }) => ({
        key, customerId, now, hasSignal: signal instanceof AbortSignal, ...input,
      }),
    })
    let isAway = true
    huitou.erasers.register('cards', {
      erase({ ids, key, identifiers }) {
        if (isAway) {
          isAway = false
          throw new Error('The card service is away for ' + key)
        }
        return { removed: ids.length + identifiers.length }
      },
    })
  },
}`

let folder: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'huitou-steps-'))
  const manifest = {
    ...{
      name: 'greeter',
      version: '1.0.0',
      publisher: 'acme',
      displayName: 'Greeter',
      description: 'Greets',
    },
    ...{ keywords: ['huitou-plugin'], license: 'MIT', type: 'module', main: 'index.js' },
    engines: { huitou: '*' },
    contributes: {
      actions: [{ id: 'greet', title: 'Greet', output: { type: 'object' } }],
      erasers: [{ id: 'cards', title: 'Cards' }],
    },
    permissions: { 'profile.pii': ['phone'] },
  }
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(path.join(folder, 'README.md'), '# Greeter\n')
  writeFileSync(path.join(folder, 'index.js'), CODE)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('an action is told the key of its step, whom it is for, the time, and when to give up', async () => {
  await using server = await startTestServer('sqlite', [folder])
  const action = server.huitou.core.points.actions.find('acme.greeter/greet')
  const { signal } = new AbortController()
  const answer = await action?.value.run(
    { word: '你好' },
    { key: '7.greet.1', customerId: 42, now: 1_795_000_000_000, signal },
  )
  expect(answer).toEqual({
    key: '7.greet.1',
    customerId: 42,
    now: 1_795_000_000_000,
    hasSignal: true,
    word: '你好',
  })
})

test('a plugin that keeps customers elsewhere is told of an erasure until it has answered', async () => {
  await using server = await startTestServer('sqlite', [folder])
  const { core, host } = server.huitou
  const stop = new AbortController()
  const running = core.jobs.run(stop.signal)
  const body = JSON.stringify({ userId: 'u-7', traits: { phone: '13800000007', email: 'seven@example.cn' } })
  const event = {
    message_id: 'm7',
    source: 's',
    type: 'identify' as const,
    name: null,
    ts: 1,
    version: 1,
    body,
  }
  await core.events.append([event])
  await core.settle()
  const { customer_id } = await core.database.db
    .selectFrom('profiles')
    .select('customer_id')
    .where('key', '=', 'u-7')
    .executeTakeFirstOrThrow()
  const { job } = await core.erasures.request(customer_id, { reason: 'asked', by: 'p1' })
  await core.jobs.finished(job.id)
  const [waiting] = await core.erasures.list(1)
  expect(waiting).toMatchObject({
    state: 'requested',
    plugins: [
      { plugin: 'acme.greeter', state: 'waiting', attempts: 1, error: 'The card service is away for ' },
    ],
  })
  // While it does not run nobody answers, and it is not forgotten.
  await host.disable('acme.greeter')
  const again = async () => {
    await core.database.db.updateTable('plugin_erasures').set({ next_at: 0 }).execute()
    await core.erasures.resume()
    for (const { id, state } of await core.jobs.list(9)) if (state !== 'done') await core.jobs.finished(id)
    return (await core.erasures.list(1))[0]
  }
  expect(await again()).toMatchObject({ plugins: [{ state: 'waiting', attempts: 2 }] })
  await host.enable('acme.greeter')
  await again()
  // Of its three identifiers the plugin may read one.
  expect(await again()).toMatchObject({
    state: 'done',
    plugins: [{ state: 'done', error: null, removed: 4 }],
  })
  stop.abort()
  await running
})
