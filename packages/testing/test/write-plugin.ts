import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Contributions, Manifest } from '@huitou/plugin-api'

/** A plugin in a folder that goes away at the end of the scope; `body` is what its `activate` does. */
export async function writePlugin(
  contributes: Contributions,
  body: string,
  more: Partial<Manifest> = {},
): Promise<AsyncDisposable & { dir: string }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'huitou-written-'))
  const manifest: Manifest = {
    publisher: 'test',
    name: 'subject',
    version: '1.0.0',
    engines: { huitou: '^0.2.0' },
    displayName: 'Subject',
    description: 'Under test',
    main: './index.mjs',
    contributes,
    ...more,
  }
  await writeFile(path.join(dir, 'package.json'), JSON.stringify(manifest))
  await writeFile(path.join(dir, 'index.mjs'), `export default { activate(huitou) {\n${body}\n} }\n`)
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
