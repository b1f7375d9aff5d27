import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { packTestPlugin } from '../test/plugin-package.ts'
import { setUpOwner } from './api.ts'
import { readUrl } from './huitou-process.ts'
import { expect, test } from './test.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../../..')
let built: string
/** Ended with the test, however that ends. */
const started: ChildProcess[] = []

test.beforeAll(async () => {
  test.setTimeout(180_000)
  built = mkdtempSync(path.join(tmpdir(), 'huitou-binary-'))
  await run(process.execPath, [path.join(root, 'scripts/binary/build.ts'), '--out', built])
})
test.afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(built, { recursive: true, force: true })
})

/** Tries what no plugin may, and tells what came of it. */
const PROBE = `
export default {
  activate(huitou) {
    huitou.commands.register('probe', { run: async () => {
      const attempts = {
        file: async () => (await import('node:fs')).readFileSync('/etc/passwd'),
        folder: async () => (await import('node:fs')).readdirSync(process.execPath + '/..'),
        socket: async () => new Promise((resolve, reject) =>
          import('node:net').then(({ connect }) => connect(9, '127.0.0.1', resolve).on('error', reject), reject)),
        child: async () => (await import('node:child_process')).execFileSync(process.execPath, ['--version']),
        database: async () => new (await import('node:sqlite')).DatabaseSync(':memory:'),
        thread: async () => new (await import('node:worker_threads')).Worker('1', { eval: true }),
      }
      const results = {}
      for (const [name, attempt] of Object.entries(attempts))
        results[name] = await attempt().then(() => 'done', (error) => error.code ?? String(error))
      return { ...results, environment: Object.keys(process.env).length }
    } })
  },
}`

test('the binary alone fills and serves the demo shop, and runs a plugin that nobody trusts', async ({
  page,
  context,
}) => {
  test.setTimeout(360_000)
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-alone-'))
  const name = process.platform === 'win32' ? 'huitou.exe' : 'huitou'
  const binary = path.join(folder, name)
  copyFileSync(path.join(built, name), binary)
  const home = path.join(folder, 'home')
  mkdirSync(home)
  const env = { HOME: home, HUITOU_LOG_LEVEL: 'silent', HUITOU_DEMO_CUSTOMERS: '1500' }
  const huitou = async (...args: string[]) => (await run(binary, args, { cwd: folder, env })).stdout

  expect(await huitou('--version')).toMatch(/^\d+\.\d+\.\d+/)
  const commands = [{ id: 'probe', title: 'Probe' }]
  writeFileSync(
    path.join(folder, 'probe.tgz'),
    await packTestPlugin({
      name: '@acme/probe',
      code: PROBE,
      contributes: { commands },
      permissions: {},
    }),
  )
  await huitou('plugin', 'install', 'probe.tgz')
  await huitou('plugin', 'enable', 'acme.probe', '--allow-unsigned', '--grant', 'all')

  const child = spawn(binary, ['serve', '--port', '0', '--json'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.push(child)
  const ended = once(child, 'exit')
  const url = await readUrl(child.stdout)
  const api = await setUpOwner(url)
  await context.addCookies([{ ...api.cookie, url }])
  await page.goto(`${url}/start`)
  await page.getByRole('button', { name: '载入演示店铺' }).click()
  await page.waitForURL(`${url}/`, { timeout: 180_000 })
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.getByRole('button', { name: '过一周' })).toBeVisible()

  // The plugin lives in a process of its own, and that process is locked as it is from a source tree.
  const { result } = await api.request<{ result: Record<string, unknown> }>(
    '/api/commands/acme.probe/probe',
    {
      body: {},
    },
  )
  expect(result).toEqual({
    file: 'ERR_ACCESS_DENIED',
    folder: 'ERR_ACCESS_DENIED',
    socket: 'ERR_ACCESS_DENIED',
    child: 'ERR_ACCESS_DENIED',
    database: 'ERR_UNKNOWN_BUILTIN_MODULE',
    thread: 'ERR_ACCESS_DENIED',
    environment: 0,
  })

  await page.close()
  child.kill('SIGTERM')
  expect((await ended)[0]).toBe(0)
  expect(await huitou('doctor')).not.toContain('FAIL')
  expect(await huitou('upgrade', '--check')).toContain('Nothing speaks against it.')
  expect(readdirSync(folder).toSorted()).toEqual(['.data', 'home', name, 'probe.tgz'].toSorted())
  rmSync(folder, { recursive: true, force: true })
})
