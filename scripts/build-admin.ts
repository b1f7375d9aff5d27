// Builds the admin app into apps/admin/dist, and the components of plugins that have a vite.config.ts, unless what they
// are built from is what they were built from last time.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)
const admin = path.join(root, 'apps/admin')
const stamp = path.join(admin, 'node_modules/.huitou-admin-build')

if (existsSync(path.join(admin, 'vite.config.ts'))) buildIfChanged()
else process.stderr.write('The admin app has no vite.config.ts yet; nothing to build.\n')

function buildIfChanged() {
  const inputs = hashOfInputs()
  const built = existsSync(path.join(admin, 'dist/index.html'))
  if (built && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return
  process.stderr.write('Building the admin app …\n')
  const vite = path.join(admin, 'node_modules/vite/bin/vite.js')
  for (const folder of [admin, ...pluginFolders()]) {
    const result = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    })
    if (result.status !== 0) process.exit(result.status ?? 1)
  }
  writeFileSync(stamp, inputs)
}

function pluginFolders(): string[] {
  return globSync('plugins/*/vite.config.ts', { cwd: root }).map((file) =>
    path.join(root, path.dirname(file)),
  )
}

function hashOfInputs(): string {
  const patterns = [
    'apps/admin/**/*',
    'packages/admin-kit/**/*',
    'packages/{core,plugin-api}/src/**/*.ts',
    'plugins/*/{ui/**/*,vite.config.ts}',
  ]
  const files = globSync(patterns, {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.'),
  })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
  const hash = createHash('sha256').update(readFileSync(path.join(root, 'pnpm-lock.yaml')))
  for (const file of files) hash.update(path.relative(root, file)).update(readFileSync(file))
  return hash.digest('hex')
}
