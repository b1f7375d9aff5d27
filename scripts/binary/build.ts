// Makes `dist/huitou`, one file that holds everything, for the machine it runs on; with `--all` for every platform.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'rolldown'
import { version } from '../../apps/server/src/version.ts'
import { findPlatform, fetchNode, type Platform, platforms } from './platforms.ts'
import { makeRuntime } from './runtime.ts'

const root = path.resolve(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    out: { type: 'string', default: path.join(root, 'dist') },
  },
})

const work = mkdtempSync(path.join(tmpdir(), 'huitou-binary-'))
try {
  await makeBinaries(path.resolve(values.out), values.all ? platforms : [findPlatform()])
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function makeBinaries(out: string, wanted: readonly Platform[]): Promise<void> {
  const runtime = path.join(work, 'runtime')
  const started = performance.now()
  await makeRuntime(runtime)
  await build({
    input: { boot: path.join(root, 'apps/server/src/binary/boot.ts') },
    platform: 'node',
    logLevel: 'warn',
    output: { dir: work, format: 'cjs', minify: true, entryFileNames: '[name].cjs' },
  })
  mkdirSync(out, { recursive: true })
  const made = wanted.map((platform) => makeBinary(runtime, out, platform))
  writeFileSync(path.join(out, 'SHA256SUMS'), made.map(({ file, sum }) => `${sum}  ${file}\n`).join(''))
  for (const { file, size } of made) process.stdout.write(`${file}: ${(size / 2 ** 20).toFixed(0)} MiB\n`)
  process.stderr.write(`Built in ${((performance.now() - started) / 1_000).toFixed(1)} s into ${out}\n`)
}

function makeBinary(runtime: string, out: string, platform: Platform) {
  const files = globSync('**/*', { cwd: runtime, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(runtime, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('prebuilds') || platform.addons.some((name) => file.endsWith(name)))
    .toSorted()
  const hash = createHash('sha256').update(version)
  for (const file of files) hash.update(`\n${file}\n`).update(readFileSync(path.join(runtime, file)))
  const contents = { version, digest: hash.digest('hex').slice(0, 16), files: files.map(toAssetName) }
  const list = path.join(work, `${platform.id}.json`)
  writeFileSync(list, JSON.stringify(contents))
  const file = `huitou-${version}-${platform.id}${platform.id.startsWith('win') ? '.exe' : ''}`
  const output = path.join(out, file)
  const configuration = path.join(work, `${platform.id}-sea.json`)
  writeFileSync(
    configuration,
    JSON.stringify({
      main: path.join(work, 'boot.cjs'),
      executable: fetchNode(platform, work),
      output,
      disableExperimentalSEAWarning: true,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // Plugins' processes take their permissions from there; see `findBinaryCommand`.
      execArgvExtension: 'env',
      assets: {
        'huitou.json': list,
        ...Object.fromEntries(files.map((each) => [toAssetName(each), path.join(runtime, each)])),
      },
    }),
  )
  const { status } = spawnSync(process.execPath, ['--build-sea', configuration], { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`Node could not build the binary for ${platform.id}`)
  chmodSync(output, 0o755)
  if (platform.id === findPlatform().id)
    copyFileSync(output, path.join(out, platform.id.startsWith('win') ? 'huitou.exe' : 'huitou'))
  const sum = createHash('sha256').update(readFileSync(output)).digest('hex')
  return { file, sum, size: statSync(output).size }
}

function toAssetName(file: string): string {
  return file.replaceAll(path.sep, '/')
}
