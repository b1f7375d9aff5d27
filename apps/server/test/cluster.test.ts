import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSigningKey } from '@huitou/plugin-host/install'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { type ClusterNode, startCluster } from './cluster-nodes.ts'
import { get, post, upload } from './plugin-calls.ts'

async function until<T>(ask: () => Promise<T> | T, isSo: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask()
    if (isSo(answer)) return answer
    if (tries === 300) throw new Error(`It never came to be: ${JSON.stringify(answer).slice(0, 500)}`)
    await sleep(50)
  }
}

/** What pages of this node hear of. */
async function listen({ call }: ClusterNode): Promise<{ heard: Set<string>; stop(): void }> {
  const stop = new AbortController()
  const answer = await call('/api/live', { signal: stop.signal })
  const heard = new Set<string>()
  const read = async () => {
    const decoder = new TextDecoder()
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      for (const [, topics] of decoder.decode(chunk).matchAll(/"topics":\[([^\]]*)\]/g))
        for (const topic of (topics ?? '').split(',')) heard.add(topic.replaceAll('"', ''))
    }
  }
  void read().catch(() => {})
  return { heard, stop: () => stop.abort() }
}

const version = ({ huitou }: ClusterNode) =>
  huitou.host.list().find(({ id }) => id === 'acme.tea')?.manifest.version

const state = ({ huitou }: ClusterNode) => huitou.host.list().find(({ id }) => id === 'acme.tea')?.state

test('what one server is told, all of them do', { timeout: 120_000 }, async () => {
  await using cluster = await startCluster(['web', 'worker'])
  const [web, worker] = cluster.nodes as [ClusterNode, ClusterNode]
  const { db } = web.huitou.core.database

  // A worker answers whoever watches over it, and nobody else.
  expect((await fetch(`${worker.url}/healthz`)).status).toBe(200)
  expect((await worker.call('/api/me')).status).toBe(404)
  const second = await cluster.add('web')
  // A session holds on every server.
  expect((await second.call('/api/me')).status).toBe(200)

  const page = await listen(second)
  const event = {
    message_id: 'm1',
    source: 't',
    type: 'track' as const,
    name: 'cup',
    ts: Date.now(),
    version: 1,
    body: JSON.stringify({ userId: 'a' }),
  }
  await web.huitou.core.events.append([event])
  await until(
    () => db.selectFrom('profiles').select('key').execute(),
    (rows) => rows.length === 1,
  )
  await until(
    () => page.heard,
    (heard) => heard.has('profiles'),
  )

  // The brand is the same for plugins on every server.
  await web.call('/api/settings', {
    method: 'PUT',
    body: JSON.stringify({ brandName: 'B', currency: 'EUR', timeZone: 'Europe/Berlin', locale: 'en' }),
  })
  await until(
    () => second.huitou.core.brand(),
    ({ currency }) => currency === 'EUR',
  )

  const key = createSigningKey('acme')
  const { publisher, publicKey } = key
  await post(web.call, '/publishers', { publisher, publicKey })
  await upload(web.call, { key })
  await post(web.call, '/acme.tea/enable', { grants: 'all' })
  await until(
    () => [worker, second].map(state),
    (states) => states.every((each) => each === 'enabled' || each === 'active'),
  )
  // Its scores are worked out by the worker.
  await until(
    () => db.selectFrom('score_runs').select(['id', 'error']).execute(),
    (runs) => runs.some(({ id, error }) => id.includes('tea') && error === null),
  )
  const view = await until(
    async () =>
      (await get(second.call, '/acme.tea')) as { nodes: { host: string; role: string; state: string }[] },
    ({ nodes }) => nodes.length === 3 && nodes.every((each) => each.state === 'ready'),
  )
  expect(view.nodes.map(({ role }) => role).toSorted()).toEqual(['web', 'web', 'worker'])
  const { nodes } = (await (await web.call('/api/operations')).json()) as {
    nodes: { host: string; alive: boolean; stages: string[] }[]
  }
  expect(nodes).toMatchObject([{ host: hostname() }, { host: hostname() }, { host: hostname() }])

  await second.call('/api/plugins/acme.tea/settings', {
    method: 'PUT',
    body: JSON.stringify({ settings: { factor: 5 } }),
  })
  await until(
    () => worker.huitou.host.getPlugin('acme.tea').settings['factor'],
    (factor) => factor === 5,
  )
  await upload(second.call, { key, version: '1.1.0' })
  expect((await post(second.call, '/acme.tea/upgrade', { version: '1.1.0', grants: 'all' })).status).toBe(200)
  await until(
    () => [web, worker].map(version),
    (versions) => versions.every((each) => each === '1.1.0'),
  )

  // One that comes later, without the files and with nobody to get them from, says so; the work stays with who has them.
  await sql`create table kept as select * from plugin_archives`.execute(db)
  await sql`delete from plugin_archives`.execute(db)
  const late = await cluster.add('worker')
  const lame = await until(
    async () =>
      (await get(web.call, '/acme.tea')) as { nodes: { id: string; state: string; error?: object }[] },
    ({ nodes }) => nodes.some(({ id, state: how }) => id === late.node.id && how === 'failed'),
  )
  expect(lame.nodes.find(({ id }) => id === late.node.id)?.error).toMatchObject({ code: 'E_PLUGIN_FILES' })
  expect(late.node.takesAll).toBe(false)
  expect(late.node.claims.list()).toEqual([])
  await sql`insert into plugin_archives select * from kept`.execute(db)
  web.huitou.core.database.notices.tell('live', 'plugins')
  await until(
    () => late.node.claims.list().length,
    (count) => count > 0,
  )
  expect(version(late)).toBe('1.1.0')

  await post(web.call, '/acme.tea/disable')
  await until(
    () => [worker, second, late].map(state),
    (states) => states.every((each) => each === 'disabled'),
  )
  await post(web.call, '/acme.tea/uninstall', { data: 'erase', confirm: 'acme.tea' })
  await until(
    () => [web, worker, second, late].map(state),
    (states) => states.every((each) => each === undefined),
  )
  page.stop()
})
