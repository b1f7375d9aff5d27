import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { startVerdaccio } from '@huitou/testing/verdaccio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackages, packPackages } from '../../../scripts/build-packages.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../../..')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'huitou-stranger-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A package whose `tsc` is this workspace's: the compiler is large, and not what is tried. */
function standInForTypeScript(): string {
  const place = path.join(folder, 'typescript')
  mkdirSync(place)
  const manifest = { name: 'typescript', version: '6.0.3', license: 'Apache-2.0', bin: { tsc: 'tsc.sh' } }
  writeFileSync(path.join(place, 'package.json'), JSON.stringify(manifest))
  const tsc = path.join(root, 'node_modules/.bin/tsc')
  writeFileSync(path.join(place, 'tsc.sh'), `#!/bin/sh\nexec ${JSON.stringify(tsc)} "$@"\n`, { mode: 0o755 })
  return place
}

test(
  'who has npm alone starts a plugin, checks its types and promises, and packs it',
  { timeout: 120_000 },
  async () => {
    await buildPackages()
    const packages = await packPackages(path.join(folder, 'packed'))
    const kysely = realpathSync(path.join(import.meta.dirname, '../node_modules/kysely'))
    await using registry = await startVerdaccio()
    await Promise.all([
      ...packages.map(({ manifest, bytes }) => registry.put(manifest, bytes)),
      ...[kysely, standInForTypeScript()].map((each) => registry.publish(each)),
    ])

    // From here on nothing but npm, Node, and an empty folder of somebody who is not signed in anywhere.
    const home = registry.env(false)
    const env = { ...home, npm_config_cache: path.join(folder, 'cache'), npm_config_update_notifier: 'false' }
    const shell = (command: string, cwd: string) => run('bash', ['-c', command], { cwd, env })
    const empty = path.join(folder, 'empty')
    mkdirSync(empty)
    const created = await shell(
      'npm create --yes huitou-plugin@latest loyalty -- --template scorer --publisher acme --title Loyalty',
      empty,
    )
    expect(created.stdout).toContain('Created acme.loyalty')
    expect(created.stdout).toContain('npm install')
    const plugin = path.join(empty, 'loyalty')
    await shell('npm install --no-audit --no-fund', plugin)
    await shell('npm run types', plugin)
    expect((await shell('npm test', plugin)).stdout).toContain('5 of 5 passed')
    expect((await shell('npm run pack', plugin)).stdout).toContain('acme.loyalty 0.1.0')
    const editor = JSON.parse(readFileSync(path.join(plugin, '.vscode/settings.json'), 'utf8')) as {
      'json.schemas': { url: string }[]
    }
    expect(existsSync(path.join(plugin, editor['json.schemas'][0]!.url))).toBe(true)

    // A mistake in types is told, and what needs a shop says so.
    const source = path.join(plugin, 'src/scorer.ts')
    writeFileSync(source, readFileSync(source, 'utf8').replace('toNumberVector(', 'toTextVector('))
    await expect(shell('npm run types', plugin)).rejects.toMatchObject({
      stdout: expect.stringContaining('TS'),
    })
    await expect(shell('node_modules/.bin/huitou plugin dev', plugin)).rejects.toMatchObject({
      stderr: expect.stringContaining('E_NEEDS_HUITOU'),
    })
  },
)
