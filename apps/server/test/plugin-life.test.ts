import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createSigningKey } from '@huitou/plugin-host/install'
import { engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { type Call, get, post, upload, view } from './plugin-calls.ts'
import { scoring, teaContributes } from './plugin-package.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const key = createSigningKey('acme')
const asked = { 'profile.read': ['event_count'] }

/** `a` has 3 events, `b` has 12. */
async function sendEvents({ huitou }: TestServer) {
  const event = (user: string, number: number) => ({
    message_id: `${user}${number}`,
    source: 't',
    type: 'track' as const,
    name: 'cup',
    ts: 1_770_000_000_000 + number,
    version: 1,
    body: JSON.stringify({ userId: user }),
  })
  await huitou.core.events.append([
    ...Array.from({ length: 3 }, (_, number) => event('a', number)),
    ...Array.from({ length: 12 }, (_, number) => event('b', number)),
  ])
}

async function scores(call: Call) {
  const answer = await call('/api/customers/search', {
    method: 'POST',
    body: JSON.stringify({
      columns: ['tea_warmth', 'tea_level'],
      sort: { column: 'key', dir: 'asc' },
      limit: 10,
    }),
  })
  const { rows } = (await answer.json()) as { rows: { columns: Record<string, unknown> }[] }
  return rows.map(({ columns }) => [columns['tea_warmth'], columns['tea_level']])
}

describe.each(engines)('on %s', (engine) => {
  test(
    'a plugin is installed, agreed to, upgraded, taken back, compared and uninstalled',
    { timeout: 180_000 },
    async () => {
      await using server = await startTestServer(engine)
      const owner = await server.as()
      await sendEvents(server)

      // Nothing of it runs before somebody vouches for it and grants what it asks for.
      const installed = await upload(owner, { key })
      expect(installed.status, JSON.stringify(installed.body)).toBe(201)
      expect(installed.body).toMatchObject({
        id: 'acme.tea',
        state: 'disabled',
        kind: 'sandboxed',
        source: { kind: 'upload' },
        signature: { state: 'unknown-publisher', publisher: 'acme', keyId: key.keyId },
        missing: [{ permission: 'profile.read', names: ['event_count'] }],
      })
      expect((await post(owner, '/acme.tea/enable')).body).toMatchObject({ code: 'E_UNKNOWN_PUBLISHER' })
      const { publisher, publicKey } = key
      expect((await post(owner, '/publishers', { publisher, publicKey })).status).toBe(201)
      expect((await view(owner)).signature.state).toBe('trusted')
      const consent = await post(owner, '/acme.tea/enable')
      expect(consent).toMatchObject({
        status: 409,
        body: {
          code: 'E_CONSENT',
          details: { permissions: [{ permission: 'profile.read', names: ['event_count'] }] },
        },
      })
      expect(consent.body.details.permissions[0].title['zh-CN']).toBe('读取客户画像')
      expect(
        (await post(owner, '/acme.tea/enable', { grants: { network: ['evil.example'] } })).body,
      ).toMatchObject({
        code: 'E_NOT_ASKED',
      })
      expect((await post(owner, '/acme.tea/enable', { grants: 'all' })).body).toMatchObject({
        state: 'enabled',
        grants: asked,
        missing: [],
      })
      await server.settle()
      expect(await scores(owner)).toEqual([
        [3, 'guest'],
        [12, 'friend'],
      ])

      // A version that asks for more waits, and says what is new.
      const more = { ...asked, network: ['api.example.com'], 'customers.tag': true }
      await owner('/api/plugins/acme.tea/settings', {
        method: 'PUT',
        body: JSON.stringify({ settings: { factor: 2, token: 'canary' } }),
      })
      const { factor } = teaContributes.configuration.properties
      const configuration = {
        type: 'object',
        properties: { factor, brew: { type: 'string', default: 'green' } },
      }
      await upload(owner, {
        key,
        version: '1.1.0',
        permissions: more,
        contributes: { ...teaContributes, configuration },
      })
      expect(await view(owner)).toMatchObject({
        version: '1.0.0',
        versions: [
          { version: '1.1.0', active: false },
          { version: '1.0.0', active: true },
        ],
      })
      const waiting = await post(owner, '/acme.tea/upgrade', { version: '1.1.0' })
      expect(waiting).toMatchObject({ status: 409, body: { code: 'E_CONSENT' } })
      expect(waiting.body.details.permissions).toMatchObject([
        { permission: 'customers.tag', names: [], since: '1.1.0' },
        { permission: 'network', names: ['api.example.com'], since: '1.1.0' },
      ])
      const upgraded = await post(owner, '/acme.tea/upgrade', {
        version: '1.1.0',
        grants: { ...asked, 'customers.tag': true },
      })
      expect(upgraded.body).toMatchObject({
        version: '1.1.0',
        state: 'active',
        grants: { ...asked, 'customers.tag': true },
        missing: [{ permission: 'network' }],
      })
      const settings = async () => await get(owner, '/acme.tea/settings')
      expect(await settings()).toEqual({ settings: { factor: 2, brew: 'green' } })

      // One that does not start leaves no trace but the reason.
      const throws = (message: string) => `throw new Error('${message}')\nreturn { warmth`
      const stores = `async activate(huitou) { await huitou.storage.set('kettle', 'on')`
      const late = scoring()
        .replace('return { warmth', throws('too hot'))
        .replace('activate(huitou) {', stores)
      const failing = [
        ['1.2.0', late, 'too hot'],
        ['1.2.1', `export default { activate() { throw new Error('no kettle') } }`, 'no kettle'],
        ['1.2.2', `export default { activate() {} }`, 'warmth'],
      ] as const
      for (const [version, code, reason] of engine === 'sqlite' ? failing : failing.slice(0, 1)) {
        await upload(owner, { key, version, permissions: more, code })
        const failed = await post(owner, '/acme.tea/upgrade', { version })
        expect(failed).toMatchObject({ status: 409, body: { code: 'E_UPGRADE_ROLLED_BACK' } })
        expect(failed.body.details.reason.message).toContain(reason)
        expect(await view(owner)).toMatchObject({
          version: '1.1.0',
          state: 'active',
          fault: failed.body.details.reason,
        })
        expect(await settings()).toEqual({ settings: { factor: 2, brew: 'green' } })
        expect(
          await server.huitou.core.database.db.selectFrom('plugin_storage').select('key').execute(),
        ).toEqual([])
      }
      await server.settle()
      expect(await scores(owner)).toEqual([
        [6, 'guest'],
        [24, 'friend'],
      ])

      // In the shadow of the version in force nothing is written.
      await upload(owner, { key, version: '2.0.0', permissions: more, code: scoring(2) })
      server.huitou.core.start()
      const { body: job } = await post(owner, '/acme.tea/shadow', { version: '2.0.0' })
      expect(await server.huitou.core.jobs.finished(job.jobId)).toMatchObject({ state: 'done' })
      await server.huitou.core.stop()
      const { drift } = await get(owner, '/acme.tea/shadow')
      expect(drift).toMatchObject({ version: '2.0.0', against: '1.1.0', customers: 2, problems: [] })
      expect(drift.columns).toMatchObject([
        {
          column: 'tea_level',
          rows: 2,
          changed: 1,
          share: 0.5,
          transitions: [{ from: 'guest', to: 'friend', count: 1 }],
        },
        { column: 'tea_warmth', rows: 2, changed: 2, meanBefore: 15, meanAfter: 30 },
      ])
      expect(await scores(owner)).toEqual([
        [6, 'guest'],
        [24, 'friend'],
      ])

      // Back to the first version: its secret is there again.
      expect((await post(owner, '/acme.tea/rollback', { version: '1.0.0' })).body).toMatchObject({
        version: '1.0.0',
      })
      expect(server.huitou.host.getPlugin('acme.tea').settings).toMatchObject({ factor: 2, token: 'canary' })

      // All of it holds after a restart; files that somebody changed do not.
      const dir = server.huitou.host.getPlugin('acme.tea').dir
      await server.restart()
      expect(await view(owner)).toMatchObject({ version: '1.0.0', state: 'enabled', grants: asked })
      // Files are the same thing on every database.
      if (engine === 'sqlite') {
        await server.restart(() =>
          writeFileSync(path.join(dir, 'index.js'), 'export default { activate() {} }'),
        )
        expect(await view(owner)).toMatchObject({
          version: '1.0.0',
          state: 'failed',
          error: { code: 'E_PLUGIN_FILES' },
        })
        const { body: whole } = await post(owner, '/acme.tea/upgrade', { version: '1.1.0' })
        expect(whole).toMatchObject({ version: '1.1.0', state: 'enabled', error: null })
        const damaged = await post(owner, '/acme.tea/rollback', { version: '1.0.0' })
        expect(damaged.body).toMatchObject({ code: 'E_PLUGIN_FILES' })
        expect((await upload(owner, { key })).status).toBe(201)
        await post(owner, '/acme.tea/rollback', { version: '1.0.0' })
        expect(await view(owner)).toMatchObject({ version: '1.0.0', state: 'active', error: null })
      }

      // What it owns goes only when somebody says so.
      await server.huitou.core.collections.insert(
        'acme.tea/blends',
        { name: 'Earl Grey' },
        { by: 'user:1' as never },
      )
      const data = await get(owner, '/acme.tea/data')
      expect(data).toMatchObject({
        columns: [
          { name: 'tea_level', customers: 2 },
          { name: 'tea_warmth', customers: 2 },
        ],
        collections: [{ id: 'acme.tea/blends', records: 1 }],
        settings: ['token', 'factor'],
      })
      expect(
        (await post(owner, '/acme.tea/uninstall', { data: 'keep', confirm: 'acme.te' })).body,
      ).toMatchObject({ code: 'E_CONFIRM' })
      expect((await post(owner, '/acme.tea/uninstall', { data: 'keep', confirm: 'acme.tea' })).body).toEqual({
        export: null,
      })
      expect((await view(owner)).code).toBe('E_NOT_FOUND')
      const stranger = createSigningKey('acme')
      expect((await upload(owner, { key: stranger })).body).toMatchObject({ code: 'E_PUBLISHER_KEY' })
      await upload(owner, { key })
      expect((await post(owner, '/acme.tea/enable')).body).toMatchObject({ code: 'E_CONSENT' })
      await post(owner, '/acme.tea/enable', { grants: 'all' })
      expect(server.huitou.host.getPlugin('acme.tea').settings).toMatchObject({ factor: 2, token: 'canary' })
      await server.settle()
      expect(await scores(owner)).toEqual([
        [6, 'guest'],
        [24, 'friend'],
      ])
      const { body: gone } = await post(owner, '/acme.tea/uninstall', { data: 'export', confirm: 'acme.tea' })
      const file = await owner(gone.export)
      const lines = gunzipSync(await file.arrayBuffer())
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(lines).toContainEqual({
        type: 'customer',
        key: 'b',
        values: { tea_warmth: 24, tea_level: 'friend' },
      })
      expect(lines).toContainEqual({ type: 'setting', name: 'factor', value: 2 })
      expect(lines.find(({ type }) => type === 'record')).toMatchObject({
        collection: 'acme.tea/blends',
        data: { name: 'Earl Grey' },
      })
      expect(JSON.stringify(lines)).not.toContain('canary')
      expect(JSON.stringify(lines)).not.toContain('sealed:')
      await server.settle()
      expect(await (await owner('/api/columns')).text()).not.toContain('tea_')
      expect(existsSync(path.dirname(path.dirname(dir)))).toBe(false)
      const { db } = server.huitou.core.database
      for (const table of ['plugin_versions', 'plugin_upgrades', 'plugin_drifts', 'plugin_storage'] as const)
        expect(await db.selectFrom(table).selectAll().execute()).toEqual([])
      const runs = await db.selectFrom('score_runs').select('id').execute()
      expect(runs.filter(({ id }) => id.startsWith('tea.'))).toEqual([])
      const actions = (
        await db
          .selectFrom('audit_log')
          .select('action')
          .where('action', '!=', 'sign-in')
          .orderBy('id')
          .execute()
      ).map(({ action }) => action)
      expect(new Set(actions)).toEqual(
        new Set([
          'plugin.install',
          'plugin.publisher.trust',
          'plugin.grant',
          'plugin.enable',
          'plugin.settings',
          'plugin.upgrade',
          'plugin.upgrade.failed',
          'plugin.shadow',
          'plugin.uninstall',
        ]),
      )
      rmSync(server.huitou.core.dataDir + '/plugin-exports', { recursive: true })
      expect((await owner(gone.export)).status).toBe(404)
    },
  )
})
