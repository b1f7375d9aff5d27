import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runCommand } from 'citty'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pluginCommand } from '../src/cli/plugin.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'huitou-commands-'))
  vi.stubEnv('HOME', folder)
  // The registry of whoever runs the tests is none of theirs.
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const at = (...names: string[]) => path.join(folder, ...names)

/** Runs `huitou plugin …` with `--json` and gives what it printed. */
async function plugin(...args: string[]): Promise<{ result: any; exitCode: number }> {
  let printed = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
  try {
    await runCommand(pluginCommand, { rawArgs: [...args, '--json'] })
    return { result: JSON.parse(printed), exitCode: Number(process.exitCode ?? 0) }
  } finally {
    write.mockRestore()
    process.exitCode = 0
  }
}

async function code(...args: string[]): Promise<string> {
  return (await plugin(...args)).result.error?.code
}

function writePlugin(version = '1.0.0', changes: Record<string, unknown> = {}): void {
  const manifest = {
    ...{ name: 'tea', version, publisher: 'acme', displayName: 'Tea', description: 'Counts tea' },
    ...{ keywords: ['huitou-plugin'], license: 'MIT', type: 'module', main: 'index.js' },
    ...{ engines: { huitou: '*' }, permissions: { 'events.read': ['order.paid'] }, ...changes },
  }
  writeFileSync(at('package.json'), JSON.stringify(manifest))
  writeFileSync(at('README.md'), '# Tea\n')
  writeFileSync(at('index.js'), 'export default { activate() {} }\n')
}

test('a plugin is packed, signed, put on a web server and found, without a server of ours', async () => {
  writePlugin()
  const { result: key } = await plugin('keygen', 'acme')
  expect(((await stat(key.privateFile)).mode & 0o777).toString(8)).toBe('600')
  expect(await readFile(key.publicFile, 'utf8')).not.toContain('privateKey')
  expect(await code('keygen', 'acme')).toBe('E_KEY_EXISTS')
  expect(await code('keygen', 'Acme Ltd')).toBe('E_PUBLISHER')

  const { result: packed } = await plugin('pack', folder, '--out', folder)
  expect(packed).toMatchObject({ id: 'acme.tea', version: '1.0.0', warnings: [], file: at('tea-1.0.0.tgz') })
  expect(packed.files.map((file: { path: string }) => file.path)).toEqual([
    'README.md',
    'index.js',
    'package.json',
  ])
  expect((await plugin('verify', packed.file)).result.signature).toEqual({ state: 'unsigned' })
  expect(await plugin('verify', packed.file, '--trust', key.publicFile)).toMatchObject({ exitCode: 1 })

  expect((await plugin('sign', packed.file)).result).toMatchObject({ publisher: 'acme', keyId: key.keyId })
  expect(await plugin('verify', packed.file, '--trust', key.publicFile)).toMatchObject({
    result: { signature: { state: 'trusted' }, digest: packed.digest },
    exitCode: 0,
  })
  const signed = await readFile(packed.file)
  await plugin('pack', folder, '--out', folder, '--key', key.privateFile)
  expect(await readFile(packed.file)).toEqual(signed)

  const { result: index } = await plugin('index', folder)
  expect(index).toMatchObject({ packages: [{ id: 'acme.tea' }], problems: [] })
  expect((await plugin('search', 'counts', '--registry', folder)).result.results).toMatchObject([
    { id: 'acme.tea' },
  ])
  await writeFile(at('other.tgz'), 'no archive')
  expect(await plugin('index', folder)).toMatchObject({
    exitCode: 1,
    result: { problems: [{ file: 'other.tgz' }] },
  })
})

test('a key is handed on, and only to the same publisher', async () => {
  writePlugin()
  const first = (await plugin('keygen', 'acme', '--out', at('old'))).result
  const second = (await plugin('keygen', 'acme', '--out', at('new'), '--after', first.privateFile)).result
  const { result: packed } = await plugin('pack', folder, '--out', folder, '--key', second.privateFile)
  const { result } = await plugin('verify', packed.file, '--trust', first.publicFile)
  expect(result.signature).toMatchObject({ state: 'trusted', keyId: second.keyId })
  expect(await code('keygen', 'other', '--out', at('other'), '--after', first.privateFile)).toBe('E_KEY')
  const other = (await plugin('keygen', 'other')).result
  expect(await code('sign', packed.file, '--key', other.privateFile)).toBe('E_KEY_PUBLISHER')
  expect(await code('sign', packed.file, '--key', other.publicFile)).toBe('E_KEY')
  expect(await code('sign', packed.file)).toBe('E_KEY')
  expect(await code('sign', at('nothing.tgz'))).toBe('E_ARCHIVE_FILE')
})

test('a plugin is installed, agreed to, upgraded and taken away again, without a browser', async () => {
  writePlugin()
  const data = ['--data', at('data')]
  const key = (await plugin('keygen', 'acme')).result
  const pack = async () =>
    (await plugin('pack', folder, '--out', folder, '--key', key.privateFile)).result.file
  const one = await pack()
  expect((await plugin('install', one, ...data)).result).toMatchObject({
    id: 'acme.tea',
    signature: { state: 'unknown-publisher' },
  })
  expect(await code('enable', 'acme.tea', ...data, '--grant', 'all')).toBe('E_UNKNOWN_PUBLISHER')
  expect((await plugin('trust', key.publicFile, ...data)).result.publishers).toMatchObject([
    { keyId: key.keyId },
  ])
  const { result: refusal, exitCode } = await plugin('enable', 'acme.tea', ...data)
  expect(refusal.error).toMatchObject({
    code: 'E_CONSENT',
    message: expect.stringContaining('events.read: order.paid'),
  })
  expect(exitCode).toBe(1)
  expect(await code('enable', 'acme.tea', ...data, '--grant', '{')).toBe('E_JSON')
  const { result: enabled } = await plugin('enable', 'acme.tea', ...data, '--grant', 'all')
  expect(enabled).toMatchObject({ version: '1.0.0', grants: { 'events.read': ['order.paid'] } })

  writePlugin('1.1.0')
  const two = await pack()
  expect((await plugin('install', two, ...data)).result.versions).toEqual(['1.1.0', '1.0.0'])
  expect((await plugin('upgrade', 'acme.tea', '--version', '1.1.0', ...data)).result.version).toBe('1.1.0')

  const listed = (await plugin('list', ...data)).result.plugins
  expect(listed.find(({ id }: { id: string }) => id === 'acme.tea')).toMatchObject({
    ...{
      version: '1.1.0',
      signature: 'trusted',
      kind: 'sandboxed',
      versions: ['1.1.0', '1.0.0'],
      error: null,
    },
  })
  expect((await plugin('disable', 'acme.tea', ...data)).result.state).toBe('disabled')

  expect(await plugin('verify', ...data)).toMatchObject({ exitCode: 0, result: { versions: { length: 2 } } })
  await writeFile(at('data/plugins/acme.tea/1.0.0/package/index.js'), 'evil()')
  const { result: broken, exitCode: fault } = await plugin('verify', ...data)
  expect(broken.versions[1]).toMatchObject({
    version: '1.0.0',
    changed: ['index.js'],
    signature: { state: 'broken' },
  })
  expect(fault).toBe(1)

  expect(await code('uninstall', 'acme.tea', ...data)).toBe('E_UNINSTALL')
  expect((await plugin('uninstall', 'acme.tea', '--owned', 'erase', ...data)).result).toMatchObject({
    file: null,
  })
  expect(await readdir(at('data/plugins'))).not.toContain('acme.tea')
  expect((await plugin('trust', '--remove', key.keyId, ...data)).result.publishers).toEqual([])
  expect(await code('install', at('nothing.tgz'), ...data)).toBe('E_ARCHIVE_FILE')
  expect(await code('install', 'nothing', ...data)).toBe('E_REGISTRY_UNREACHABLE')
})
