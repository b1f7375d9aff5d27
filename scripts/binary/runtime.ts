import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build, type BuildOptions, type Plugin } from 'rolldown'
import { bundledPlugins } from '../../apps/server/src/plugins/bundled-plugins.ts'
import { compiledValidators } from './compiled-validators.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** Programs of the server that run in threads and processes of their own, by the file that `new URL` names. */
const PROGRAMS = [
  'packages/plugin-host/src/plugin-worker.ts',
  'packages/core/src/plugin-data/query-process.ts',
  'packages/core/src/plugin-data/query-reader.ts',
  'packages/core/src/db/reader-worker.ts',
  'packages/core/src/db/snapshot-worker.ts',
  'packages/core/src/imports/stage-index-worker.ts',
]

/** What stays a package with files of its own: it finds them beside itself, or is native code. */
const KEPT = ['better-sqlite3', 'create-huitou-plugin', 'swagger-ui-dist']

/**
 * Loads a program beside it. What V8 makes of the code is kept there too, from the second start on; a plugin's process
 * may write nowhere, and does without.
 */
const START = `const { enableCompileCache } = require('node:module')
const path = require('node:path')
if (process.permission === undefined) enableCompileCache(path.join(__dirname, 'compiled'))
module.exports = (file) => import('./' + file)
`

const shape = {
  format: 'esm',
  entryFileNames: '[name].mjs',
  chunkFileNames: '[name]-[hash].mjs',
  minify: true,
  comments: { legal: true },
} as const

/**
 * Lays out what the binary carries, in `folder`: the server bundled, its threads beside it, the program that runs
 * plugins in a folder of its own (which is all of Huitou that it may read), the admin app, and the bundled plugins.
 */
export async function makeRuntime(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await bundle({
    input: Object.fromEntries(
      [
        ['huitou', 'apps/server/src/main.ts'],
        ...PROGRAMS.map((file) => [path.basename(file, '.ts'), file]),
      ].map(([name = '', file = '']) => [name, path.join(root, file)]),
    ),
    external: [...KEPT.map((name) => new RegExp(`^${name}(/|$)`)), 'pg-native'],
    output: { ...shape, dir: folder },
  })
  await bundle({
    input: { 'plugin-process': path.join(root, 'packages/plugin-host/src/plugin-process.ts') },
    output: { ...shape, dir: path.join(folder, 'plugin') },
  })
  for (const where of ['.', 'plugin']) {
    writeJson(path.join(folder, where, 'package.json'), { name: 'huitou-runtime', type: 'module' })
    writeFileSync(path.join(folder, where, 'start.cjs'), START)
    await bundleKysely(path.join(folder, where, 'node_modules/kysely'))
  }
  copyPackages(path.join(folder, 'node_modules'))
  for (const { dir } of bundledPlugins()) await bundlePlugin(dir, path.join(folder, 'node_modules'))
}

async function bundle(options: BuildOptions): Promise<void> {
  await build({ platform: 'node', logLevel: 'warn', plugins: [threadFiles, compiledValidators], ...options })
}

/** Threads are started by a file's name beside the module; bundled, it ends differently. */
const threadFiles: Plugin = {
  name: 'thread-files',
  transform(code, id) {
    if (!id.endsWith('.ts') || !code.includes('import.meta.url')) return null
    return code.replaceAll(
      /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g,
      "new URL('./$1.mjs', import.meta.url)",
    )
  },
}

/** Loaded by name at a plugin's first query, by the server's threads and by plugins' processes. */
async function bundleKysely(folder: string): Promise<void> {
  const require = createRequire(path.join(root, 'packages/plugin-host/package.json'))
  await build({
    input: { index: require.resolve('kysely') },
    platform: 'node',
    logLevel: 'warn',
    output: { dir: folder, format: 'cjs', minify: true, entryFileNames: 'index.cjs' },
  })
  writeJson(path.join(folder, 'package.json'), { name: 'kysely', main: './index.cjs' })
}

function copyPackages(modules: string): void {
  const fromServer = createRequire(path.join(root, 'apps/server/package.json'))
  const fromCore = createRequire(path.join(root, 'packages/core/package.json'))
  copyFiles(packageFolder(fromCore, 'better-sqlite3'), path.join(modules, 'better-sqlite3'), [
    'package.json',
    'LICENSE',
    'lib/**/*.js',
    'prebuilds/*',
  ])
  copyFiles(packageFolder(fromServer, 'swagger-ui-dist'), path.join(modules, 'swagger-ui-dist'), [
    'package.json',
    'LICENSE',
    'swagger-ui.css',
    'swagger-ui-bundle.js',
  ])
  copyFiles(path.join(root, 'packages/create-plugin'), path.join(modules, 'create-huitou-plugin'), [
    'package.json',
    'bin/**/*',
    'src/*.mjs',
    'templates/**/*',
  ])
  copyFiles(path.join(root, 'apps/admin'), path.join(modules, '@huitou/admin'), ['package.json', 'dist/**/*'])
  copyFiles(path.join(root, 'packages/admin-kit'), path.join(modules, '@huitou/admin-kit'), [
    'package.json',
    'src/webview/*.js',
  ])
}

/** A plugin without its sources and tests; its code is one file. */
async function bundlePlugin(dir: string, modules: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as {
    name: string
    main?: string
  } & Record<string, unknown>
  const target = path.join(modules, manifest.name)
  const left = /^(src|test|node_modules|coverage)(\/|$)|^tsconfig|\.test\.ts$/
  const files = globSync('**/*', { cwd: dir, exclude: (name) => left.test(name) }).filter(
    (name) => !left.test(name),
  )
  copyFiles(dir, target, files)
  const { dependencies: _, devDependencies: __, exports: ___, ...kept } = manifest
  if (manifest.main !== undefined) {
    await bundle({ input: { index: path.join(dir, manifest.main) }, output: { ...shape, dir: target } })
    kept.main = './index.mjs'
  }
  writeJson(path.join(target, 'package.json'), kept)
}

function copyFiles(from: string, to: string, patterns: readonly string[]): void {
  for (const name of globSync([...patterns], { cwd: from, withFileTypes: false })) {
    const source = realpathSync(path.join(from, name))
    const target = path.join(to, name)
    mkdirSync(path.dirname(target), { recursive: true })
    cpSync(source, target, { recursive: true })
  }
}

function packageFolder(require: NodeJS.Require, name: string): string {
  for (const base of require.resolve.paths(name) ?? []) {
    if (existsSync(path.join(base, name, 'package.json'))) return realpathSync(path.join(base, name))
  }
  throw new Error(`${name} is not installed`)
}

function writeJson(file: string, value: unknown): void {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
}
