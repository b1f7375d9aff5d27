import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Huitou, Manifest } from '@huitou/plugin-api'
import { createPluginHost, readManifest, routeEffects } from '@huitou/plugin-host'
import type { Effects, PluginHost, Point, Settings } from '@huitou/plugin-host'
import { memoryEffects } from './memory-effects.ts'

export interface OpenPluginOptions {
  /** The server's side of its calls. */
  effects: Effects
  settings?: Settings
  brand?: Huitou['brand']
  /** What the plugin takes for now, by whatever way it asks; stands still. */
  now?: number
  /** Its random numbers follow from this. */
  seed?: number
}

/** One plugin that runs, as in the server: in a thread of its own, with its permissions. */
export interface TestPlugin extends AsyncDisposable {
  readonly id: string
  readonly host: PluginHost
  readonly now: number
  /** As it stands in the file. */
  readonly manifest: Manifest
  /** Calls what the plugin registered; typed arrays in `args` move to it. */
  call(request: PluginCall): Promise<unknown>
}

export interface PluginCall {
  point: Point
  id: string
  method: string
  args: unknown[]
  locale?: string
  signal?: AbortSignal
}

const noon = Date.UTC(2026, 2, 1, 4)

/**
 * Starts the plugin in `dir` with a clock that stands still and random numbers that repeat. Plugins that it depends
 * on need not be there. Throws `E_MANIFEST` or what keeps it from being enabled.
 */
export async function openPlugin(dir: string, options: OpenPluginOptions): Promise<TestPlugin> {
  const {
    effects,
    settings = {},
    brand = { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' },
  } = options
  const { now = noon, seed = 1 } = options
  const { id, source } = await readManifest(dir)
  const stage = await stageFolder(dir, source, { now, seed })
  const remove = () => rm(stage, { recursive: true, force: true })
  const host = await createPluginHost({
    plugins: [{ dir: stage, trusted: true, enabled: true, settings }],
    effects,
    brand,
    clock: { now: () => now },
  })
  const { state, error } = host.getPlugin(id)
  if (state !== 'enabled') {
    await host.close()
    await remove()
    throw new Error(`${id} cannot be enabled: ${error?.message ?? state}`)
  }
  return {
    id,
    host,
    now,
    manifest: source,
    call: ({ point, id: contribution, method, args, locale, signal }) =>
      host.call(id, point, contribution, method, args, { locale, signal }),
    async [Symbol.asyncDispose]() {
      await host.close()
      await remove()
    },
  }
}

/** The plugin in `dir` with a server behind it that is kept in memory. */
export async function openPluginAlone(dir: string, settings: Settings = {}): Promise<TestPlugin> {
  const effects = memoryEffects({}, { now: () => noon })
  return await openPlugin(dir, { effects: routeEffects(effects), settings })
}

/** A folder that looks like the plugin's, whose entry fixes time and chance before the plugin's own is loaded. */
async function stageFolder(
  dir: string,
  { pluginDependencies: _, ...manifest }: Manifest,
  { now, seed }: { now: number; seed: number },
): Promise<string> {
  const stage = await mkdtemp(path.join(tmpdir(), 'huitou-plugin-'))
  for (const name of await readdir(dir)) {
    if (name !== 'package.json') await symlink(path.resolve(dir, name), path.join(stage, name))
  }
  // What npm reads, such as "type", has to stay as well.
  const whole = JSON.parse(await readFile(path.join(dir, 'package.json'), 'utf8')) as Manifest
  const entry = 'huitou-test-entry.mjs'
  await writeFile(
    path.join(stage, 'package.json'),
    JSON.stringify({
      ...whole,
      ...manifest,
      pluginDependencies: [],
      ...(manifest.main ? { main: entry } : {}),
    }),
  )
  if (manifest.main) {
    const real = pathToFileURL(path.resolve(dir, manifest.main)).href
    await writeFile(path.join(stage, 'huitou-test-fixed.mjs'), fixedSource(now, seed))
    await writeFile(
      path.join(stage, entry),
      `import './huitou-test-fixed.mjs'\nexport { default } from ${JSON.stringify(real)}\n`,
    )
  }
  return stage
}

function fixedSource(now: number, seed: number): string {
  return `const now = ${now}
let state = ${seed} >>> 0
const RealDate = Date
globalThis.Date = class Date extends RealDate {
  constructor(...args) { super(...(args.length === 0 ? [now] : args)) }
  static now() { return now }
}
Math.random = () => {
  state = (state + 0x6d2b79f5) >>> 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}
crypto.getRandomValues = (array) => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.random() * 256
  return array
}
crypto.randomUUID = () => {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), '4' + hex.slice(13, 16), '8' + hex.slice(17, 20), hex.slice(20)].join('-')
}
`
}
