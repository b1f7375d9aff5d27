import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openArchive } from './archive.ts'
import type { PluginArchive } from './archive.ts'
import { signFiles } from './signature.ts'
import type { SigningKey } from './signature.ts'
import { writeTarball } from './tarball.ts'

/** For tests: a folder that goes away with its scope. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'huitou-install-'))
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

export interface SamplePlugin {
  manifest?: Record<string, unknown>
  files?: Record<string, string>
  signedBy?: SigningKey | undefined
}

/** For tests: the files of a small plugin that only declares. */
export function sampleFiles({ manifest = {}, files = {} }: SamplePlugin = {}): Map<string, Uint8Array> {
  const packageJson = {
    name: '@acme/tea',
    version: '1.0.0',
    publisher: 'acme',
    type: 'module',
    keywords: ['huitou-plugin'],
    license: 'MIT',
    displayName: '%displayName%',
    description: 'Counts cups of tea',
    engines: { huitou: '^0.1.0' },
    main: 'index.js',
    ...manifest,
  }
  const texts = {
    'package.json': JSON.stringify(packageJson, null, 2),
    'package.nls.json': '{ "displayName": "Tea" }',
    'package.nls.zh-CN.json': '{ "displayName": "茶" }',
    'README.md': '# Tea\n',
    'index.js': 'export default { activate() {} }\n',
    ...files,
  }
  return new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]))
}

/** For tests: the packed bytes of a small plugin. */
export async function packSample(plugin: SamplePlugin = {}): Promise<Uint8Array> {
  const files = plugin.signedBy ? signFiles(sampleFiles(plugin), plugin.signedBy) : sampleFiles(plugin)
  return writeTarball([...files].map(([name, bytes]) => ({ name: `package/${name}`, bytes })))
}

/** For tests: a small plugin, opened. */
export async function sampleArchive(plugin: SamplePlugin = {}): Promise<PluginArchive> {
  return openArchive(await packSample(plugin))
}

/** For tests: writes a small plugin as its author has it, as a folder. */
export async function writeSample(dir: string, plugin: SamplePlugin = {}): Promise<void> {
  for (const [name, bytes] of sampleFiles(plugin)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true })
    await writeFile(path.join(dir, name), bytes)
  }
}
