// Builds what strangers install, each package into its own dist: Node strips no types inside node_modules.
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { rolldown } from 'rolldown'
import { isolatedDeclarationSync } from 'rolldown/experimental'
import { root, runTool } from './suites/run-tool.ts'

/** Folders of what is published, in the order in which they need each other. */
const publishedPackages = ['plugin-api', 'simulators', 'testing', 'create-plugin', 'cli']

const at = (...names: string[]) => path.join(root, 'packages', ...names)

/** Builds all of them. */
export async function buildPackages(): Promise<void> {
  for (const name of publishedPackages) rmSync(at(name, 'dist'), { recursive: true, force: true })
  await Promise.all([
    compile('plugin-api').then(() => compile('simulators')),
    bundle('testing', 'src/contracts/test-contracts.ts', ['vitest', 'kysely']),
    bundle('cli', 'src/main.ts', ['create-huitou-plugin/command', 'kysely']),
  ])
  for (const file of ['test-contracts', 'contract-options']) declare('testing', `src/contracts/${file}.ts`)
}

/** One package as a registry gets it. */
export interface PackedPackage {
  manifest: { name: string; version: string }
  bytes: Uint8Array<ArrayBuffer>
}

/** Packs what was built into `.tgz` files in `folder`, as `pnpm publish` would. Throws what publint finds wrong. */
export async function packPackages(folder: string): Promise<PackedPackage[]> {
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    packageManager: string
  }
  const chosen = publishedPackages.flatMap((name) => ['--filter', `./packages/${name}`])
  const args = ['--yes', packageManager, ...chosen, '-r', 'pack', '--pack-destination', folder]
  const { ok, output } = await runTool('npx', args, { quiet: true })
  if (!ok) throw new Error(`pnpm could not pack\n${output}`)
  const files = globSync('*.tgz', { cwd: folder }).map((file) => path.join(folder, file))
  return await Promise.all(files.map(checkPackage))
}

async function checkPackage(file: string): Promise<PackedPackage> {
  const bytes = new Uint8Array(readFileSync(file))
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true })
  if (messages.length > 0)
    throw new Error(`${file}: ${messages.map((each) => formatMessage(each, pkg)).join('; ')}`)
  return { manifest: pkg as PackedPackage['manifest'], bytes }
}

/** JavaScript and declarations, file by file. */
async function compile(name: string): Promise<void> {
  const { ok, output } = await runTool('tsc', ['-p', 'tsconfig.build.json'], { cwd: at(name), quiet: true })
  if (!ok) throw new Error(`packages/${name} does not compile\n${output}`)
  for (const file of globSync('dist/**/*.d.ts', { cwd: at(name) })) {
    const text = readFileSync(at(name, file), 'utf8')
    writeFileSync(at(name, file), withJavaScriptNames(text))
  }
}

/** One file, the worker beside it, and what commands load when they are called; nothing is left to install. */
async function bundle(name: string, entry: string, external: string[]): Promise<void> {
  const worker = at('plugin-host/src/plugin-worker.ts')
  const input = { [path.basename(entry, '.ts')]: at(name, entry), 'plugin-worker': worker }
  const build = await rolldown({ input, external, platform: 'node', cwd: at(name), logLevel: 'warn' })
  const { output } = await build.write({
    dir: at(name, 'dist'),
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  })
  await build.close()
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
  writeFileSync(at(name, 'dist/third-party-licences.txt'), licencesOf(modules))
}

function declare(name: string, file: string): void {
  const { code, errors } = isolatedDeclarationSync(file, readFileSync(at(name, file), 'utf8'))
  if (errors.length > 0) throw new Error(`packages/${name}/${file}: ${errors[0]!.message}`)
  mkdirSync(at(name, 'dist'), { recursive: true })
  writeFileSync(at(name, 'dist', `${path.basename(file, '.ts')}.d.ts`), withJavaScriptNames(code))
}

function withJavaScriptNames(text: string): string {
  return text.replaceAll(/(from ["']\.[^"']*)\.ts(["'])/g, '$1.js$2')
}

/** The licence of every package of others that a bundle holds a part of. */
function licencesOf(modules: readonly string[]): string {
  const folders = new Set(
    modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []),
  )
  const texts = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(path.join(folder, 'package.json'), 'utf8'),
    ) as Record<string, string>
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
    return `${name} ${version}\n\n${file ? readFileSync(path.join(folder, file), 'utf8').trim() : license}\n`
  })
  return texts.toSorted().join(`\n${'-'.repeat(80)}\n\n`)
}

if (import.meta.main) await buildPackages()
