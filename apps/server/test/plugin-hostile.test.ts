import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createSigningKey } from '@huitou/plugin-host/install'
import { FakeClock } from '@huitou/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Call, get, post, upload, view } from './plugin-calls.ts'
import { packTestPlugin, scoring, teaContributes } from './plugin-package.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const key = createSigningKey('acme')
const clock = new FakeClock('2026-11-21T12:00:00+08:00')
let server: TestServer
let owner: Call

beforeAll(async () => {
  server = await startTestServer('sqlite', [], { clock })
  owner = await server.as()
  const { publisher, publicKey } = key
  await post(owner, '/publishers', { publisher, publicKey })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function installed(): Promise<string[]> {
  const { plugins } = (await get(owner, '')) as { plugins: { id: string }[] }
  return plugins.map(({ id }) => id).toSorted()
}

test('nobody comes in under a name that is not theirs', async () => {
  const before = await installed()
  expect(before).toContain('huitou.rfm')
  const own = createSigningKey('huitou')
  const impostors = [
    { publisher: 'huitou', name: '@huitou/rfm' },
    { publisher: 'huitou', name: '@huitou/new-one', key: own },
    { publisher: 'acme', name: '@acme/other' },
    { publisher: 'acme', name: '@acme/other', key: createSigningKey('acme') },
  ]
  const nothing = { contributes: {}, permissions: {} }
  for (const impostor of impostors)
    expect((await upload(owner, { ...impostor, ...nothing })).body).toMatchObject({ code: 'E_PUBLISHER_KEY' })
  expect((await upload(owner, { ...impostors[0]!, ...nothing }, '?acceptNewKey=true')).body).toMatchObject({
    code: 'E_PUBLISHER_KEY',
  })
  expect(await installed()).toEqual(before)
})

test('a name cannot be chosen so that the columns of others become own ones', async () => {
  for (const [name, column] of [
    ['t', 't_'],
    ['first', 'first_seen_at'],
    ['rfm', 'rfm_'],
    ['commerce-last', 'commerce_last_'],
  ] as const) {
    await server.settle()
    const { body } = await upload(owner, { publisher: 'evil', name, contributes: {}, permissions: {} })
    expect(body).toMatchObject({ code: 'E_COLUMNS_TAKEN' })
    expect(body.details.column).toContain(column)
  }
  expect(await server.huitou.store.list()).toEqual([])
})

test('what is not an archive of a plugin is refused by name, and a large one before it is read', async () => {
  const send = async (body: Uint8Array<ArrayBuffer>) =>
    (await (await owner('/api/plugins/upload', { method: 'POST', body })).json()) as { code: string }
  expect((await send(new Uint8Array())).code).toBe('E_FILE_EMPTY')
  expect((await send(new TextEncoder().encode('no archive'))).code).toMatch(/^E_ARCHIVE/)
  expect((await send(new Uint8Array(20_000_001))).code).toBe('E_ARCHIVE_TOO_LARGE')
})

test('only an owner gives plugins rights; a developer brings them in and looks inside, others only at the list', async () => {
  await upload(owner, { key })
  const analyst = await server.as({ role: 'analyst' })
  const developer = await server.as({ role: 'developer' })
  for (const call of [analyst, developer]) {
    for (const route of [
      '/acme.tea/upgrade',
      '/acme.tea/trust',
      '/acme.tea/uninstall',
      '/publishers',
      '/registries',
    ])
      expect((await post(call, route)).body).toMatchObject({ code: 'E_FORBIDDEN' })
    for (const consent of [{ grants: 'all' }, { allowUnsigned: true }, { companions: { 'acme.cup': {} } }])
      expect((await post(call, '/acme.tea/enable', consent)).body).toMatchObject({ code: 'E_FORBIDDEN' })
    expect((await upload(call, { key, version: '9.0.0' }, '?acceptNewKey=true')).body).toMatchObject({
      code: 'E_FORBIDDEN',
    })
  }
  expect((await upload(analyst, { key, version: '9.0.0' })).body).toMatchObject({ code: 'E_FORBIDDEN' })
  expect((await post(developer, '/acme.tea/enable')).body).toMatchObject({ code: 'E_CONSENT' })
  expect((await view(analyst)).id).toBe('acme.tea')
  expect(await get(analyst, '/acme.tea/log')).toMatchObject({ code: 'E_FORBIDDEN' })
  expect(await get(developer, '/acme.tea/log')).toEqual({ entries: [] })
})

test('a scorer gets only columns that somebody granted, also when its manifest asks for more', async () => {
  const scorers = [{ ...teaContributes.scorers[0], inputs: ['event_count', 't_phone'] }]
  const contributes = { ...teaContributes, scorers }
  const read = ['event_count', 't_phone']
  const permissions = { 'profile.read': read, 'profile.pii': ['phone'] }
  await post(owner, '/acme.tea/enable', { grants: 'all' })
  await upload(owner, { key, version: '1.5.0', contributes, permissions })
  expect((await post(owner, '/acme.tea/upgrade', { version: '1.5.0' })).body).toMatchObject({
    code: 'E_CONSENT',
    details: {
      permissions: [
        { permission: 'profile.read', names: ['t_phone'] },
        { permission: 'profile.pii', names: ['phone'], since: '1.5.0' },
      ],
    },
  })
  const { body } = await post(owner, '/acme.tea/upgrade', {
    version: '1.5.0',
    grants: { 'profile.read': read },
  })
  expect(body).toMatchObject({ code: 'E_UPGRADE_ROLLED_BACK', details: { reason: { code: 'E_PERMISSION' } } })
  expect(await view(owner)).toMatchObject({ version: '1.0.0', fault: { code: 'E_PERMISSION' } })
})

test('a version that is set aside soon after its upgrade goes back by itself', async () => {
  const code = scoring().replace(
    'return { warmth',
    'if (huitou.settings.factor === 7) process.exit(1)\nreturn { warmth',
  )
  await upload(owner, { key, version: '1.6.0', code })
  expect((await post(owner, '/acme.tea/upgrade', { version: '1.6.0' })).body).toMatchObject({
    version: '1.6.0',
    fault: null,
  })
  await server.huitou.core.events.append([
    {
      message_id: 'm',
      source: 't',
      type: 'track',
      name: 'cup',
      ts: 1_770_000_000_000,
      version: 1,
      body: '{"userId":"a"}',
    },
  ])
  await owner('/api/plugins/acme.tea/settings', {
    method: 'PUT',
    body: JSON.stringify({ settings: { factor: 7 } }),
  })
  const isBack = new Promise<void>((resolve) => {
    const stop = server.huitou.live.onChange(() => {
      void view(owner).then(({ version }) => {
        if (version !== '1.0.0') return
        stop()
        resolve()
      })
    })
  })
  for (let crash = 0; crash < 3; crash++) {
    await server.huitou.core.settle()
    await server.huitou.core.scores.runAll({ force: true })
    clock.advance(10_000)
  }
  await isBack
  expect(await view(owner)).toMatchObject({
    version: '1.0.0',
    fault: { code: expect.stringMatching(/^E_/) },
  })
  expect(server.huitou.host.getPlugin('acme.tea').settings).toMatchObject({ factor: 1 })
})

test('registries answer side by side, and a newer version is found, named and put in force', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-registry-'))
  try {
    const publish = async (version: string, permissions?: Record<string, unknown>) =>
      writeFileSync(
        path.join(folder, `green-${version}.tgz`),
        await packTestPlugin({
          key,
          name: '@acme/green',
          version,
          ...(permissions ? { permissions } : {}),
          contributes: {},
          code: 'export default { activate() {} }',
        }),
      )
    await publish('1.0.0')
    for (const { id } of (await get(owner, '/registries')).registries)
      await owner(`/api/plugins/registries/${id}`, { method: 'DELETE' })
    await post(owner, '/registries', { id: 'files', kind: 'folder', title: 'Files', path: folder })
    const { body } = await post(owner, '/registries', {
      id: 'gone',
      kind: 'web',
      title: 'Gone',
      url: 'http://127.0.0.1:9/',
      token: 'canary',
    })
    expect(body.registries).toMatchObject([{ id: 'files' }, { id: 'gone', options: { hasToken: true } }])
    expect(JSON.stringify(body)).not.toContain('canary')
    const found = await get(owner, '/available?search=tea')
    expect(found).toMatchObject({
      results: [
        { registry: 'files', name: '@acme/green', id: 'acme.green', version: '1.0.0', installed: null },
      ],
      problems: [{ registry: 'gone' }],
    })
    const details = await get(owner, `/available/files/${encodeURIComponent('@acme/green')}`)
    expect(details).toMatchObject({
      permissions: [{ permission: 'profile.read' }],
      versions: [{ version: '1.0.0' }],
    })
    const installed = await post(owner, '/install', { registry: 'files', name: '@acme/green' })
    expect(installed).toMatchObject({
      status: 201,
      body: { source: { kind: 'registry', registry: 'files' }, update: null },
    })
    await post(owner, '/acme.green/enable', { grants: 'all' })
    await publish('1.1.0', { 'profile.read': ['event_count'], secrets: true })
    expect((await post(owner, '/updates')).body).toEqual({ checked: 1, updates: 1, problems: [] })
    expect((await view(owner, 'acme.green')).update).toMatchObject({
      version: '1.1.0',
      newPermissions: [{ permission: 'secrets', since: '1.1.0' }],
    })
    expect((await post(owner, '/acme.green/upgrade')).body).toMatchObject({ code: 'E_CONSENT' })
    expect((await post(owner, '/acme.green/upgrade', { grants: 'all' })).body).toMatchObject({
      version: '1.1.0',
      update: null,
    })
    expect((await post(owner, '/acme.tea/upgrade')).body).toMatchObject({ code: 'E_NO_REGISTRY' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('data that was kept goes to a successor of the same publisher, and to nobody else', async () => {
  const none = { contributes: {}, permissions: {}, code: 'export default { activate() {} }' }
  const configuration = { type: 'object', properties: { token: { type: 'string', secret: true } } }
  const { db } = server.huitou.core.database
  const leave = async (name: string) => {
    await upload(owner, { ...none, key, name: `@acme/${name}`, contributes: { configuration } })
    await post(owner, `/acme.${name}/enable`)
    await owner(`/api/plugins/acme.${name}/settings`, {
      method: 'PUT',
      body: JSON.stringify({ settings: { token: 'canary' } }),
    })
    const row = { plugin_id: `acme.${name}`, key: 'k', value: '1', size: 2, updated_at: 1 }
    await db.insertInto('plugin_storage').values(row).execute()
    await post(owner, `/acme.${name}/uninstall`, { data: 'keep', confirm: `acme.${name}` })
  }
  await leave('black')
  await leave('white')
  const manifest = { replaces: ['acme.black', 'acme.white', 'huitou.rfm', 'acme.tea'] }
  const other = createSigningKey('other')
  await upload(owner, {
    ...none,
    key: other,
    publisher: 'other',
    name: 'grabber',
    contributes: { configuration },
    manifest,
  })
  expect(server.huitou.host.getPlugin('other.grabber').settings).toEqual({})
  expect((await get(owner, '')).kept.map(({ id }: { id: string }) => id)).toEqual([
    'acme.black',
    'acme.white',
  ])
  await post(owner, '/acme.white/uninstall', { data: 'erase', confirm: 'acme.white' })
  await upload(owner, { ...none, key, name: '@acme/oolong', contributes: { configuration }, manifest })
  expect(server.huitou.host.getPlugin('acme.oolong').settings).toEqual({ token: 'canary' })
  expect((await get(owner, '')).kept).toEqual([])
  const stored = await db.selectFrom('plugin_storage').select(['plugin_id', 'key']).execute()
  expect(stored).toEqual([{ plugin_id: 'acme.oolong', key: 'k' }])
})

test('a plugin that the owner trusts moves into the server, and out of it again', async () => {
  await post(owner, '/acme.tea/enable', { grants: 'all' })
  expect((await post(owner, '/acme.tea/trust', { trusted: true })).body).toMatchObject({ kind: 'trusted' })
  expect((await post(owner, '/acme.tea/trust', { trusted: false })).body).toMatchObject({ kind: 'sandboxed' })
  expect(
    (await post(owner, '/huitou.rfm/uninstall', { data: 'erase', confirm: 'huitou.rfm' })).body,
  ).toMatchObject({
    code: 'E_PLUGIN_BUNDLED',
  })
})

test('a developer reads what a plugin says and where its time goes, and nothing beside it', async () => {
  const developer = await server.as({ role: 'developer' })
  const code = scoring().replace(
    'activate(huitou) {',
    "activate(huitou) { huitou.log.warn('kettle is empty')",
  )
  await upload(owner, { key, version: '1.7.0', code })
  await post(owner, '/acme.tea/upgrade', { version: '1.7.0' })
  const { entries } = await get(developer, '/acme.tea/log')
  expect(entries).toContainEqual(
    expect.objectContaining({ level: 'warn', source: 'plugin', message: 'kettle is empty' }),
  )
  const { status, body } = await post(developer, '/acme.tea/profile?ms=100')
  expect([status, Object.keys(body)]).toEqual([200, expect.arrayContaining(['nodes', 'startTime'])])
  expect((await view(owner)).running).toMatchObject({ kind: 'process', pid: expect.any(Number) })
  for (const name of ['..%2F..%2Fhuitou.db', '%2Fetc%2Fpasswd', 'secret', '..jsonl.gz'])
    expect((await owner(`/api/plugin-exports/${name}`)).status).toBe(404)
  expect((await developer('/api/plugin-exports/x.jsonl.gz')).status).toBe(403)
})

test('a publisher who is trusted no longer is heard no longer, from the next start', async () => {
  expect((await view(owner)).signature.state).toBe('trusted')
  await owner(`/api/plugins/publishers/${key.keyId}`, { method: 'DELETE' })
  expect((await view(owner)).signature.state).toBe('unknown-publisher')
  await server.restart()
  expect(await view(owner)).toMatchObject({ state: 'failed', error: { code: 'E_UNKNOWN_PUBLISHER' } })
  expect((await post(owner, '/acme.tea/enable')).body).toMatchObject({ code: 'E_UNKNOWN_PUBLISHER' })
  expect((await post(owner, '/acme.tea/enable', { allowUnsigned: true })).body).toMatchObject({
    state: 'enabled',
    error: null,
  })
  await server.restart()
  expect((await view(owner)).state).toBe('enabled')
})

test('the search for a culprit goes on after a restart, and leaves everything as it was', async () => {
  const states = async () =>
    Object.fromEntries(
      ((await get(owner, '')) as { plugins: { id: string; state: string }[] }).plugins.map(
        ({ id, state }) => [id, state],
      ),
    )
  const before = await states()
  const culprit = 'acme.tea'
  let { body } = await post(owner, '/bisect/start')
  expect(body).toMatchObject({ state: 'searching', on: [] })
  expect(Object.values(await states())).not.toContain('enabled')
  expect((await post(owner, '/acme.tea/enable', {})).body).toMatchObject({ code: 'E_BISECT_RUNNING' })
  await server.restart()
  expect(await get(owner, '/bisect')).toEqual(body)
  expect((await view(owner)).state).toBe('disabled')
  for (let step = 0; body.state === 'searching' && step < 10; step++)
    ({ body } = await post(owner, `/bisect/${body.on.includes(culprit) ? 'bad' : 'good'}`))
  expect(body).toMatchObject({ state: 'found', culprit })
  expect((await post(owner, '/bisect/stop')).body).toMatchObject({ state: 'idle' })
  expect(await states()).toEqual(before)
})
