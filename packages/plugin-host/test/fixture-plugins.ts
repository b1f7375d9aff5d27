import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Manifest } from '@huitou/plugin-api'

/** A folder of plugins that goes away at the end of the scope. */
export interface PluginFolder extends AsyncDisposable {
  readonly path: string
  /** Writes a plugin whose `activate` has `body`, or whose entry is `source`; returns its folder. */
  write(
    name: string,
    body: string,
    more?: Partial<Manifest> & {
      nls?: Record<string, string>
      nlsZh?: Record<string, string>
      source?: string
      folder?: string
    },
  ): Promise<string>
}

export async function createPluginFolder(): Promise<PluginFolder> {
  const root = await mkdtemp(join(tmpdir(), 'huitou-plugins-'))
  return {
    path: root,
    async write(name, body, { nls, nlsZh, source, folder = name, ...more } = {}) {
      const dir = join(root, folder)
      await mkdir(dir, { recursive: true })
      const write = (file: string, value: unknown) => writeFile(join(dir, file), JSON.stringify(value))
      await write('package.json', fixtureManifest(name, more))
      if (nls) await write('package.nls.json', nls)
      if (nlsZh) await write('package.nls.zh-CN.json', nlsZh)
      const wrapped = `export default { activate(huitou, context) {\n${body}\n} }\n`
      await writeFile(join(dir, 'index.mjs'), source ?? wrapped)
      return dir
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** A manifest that declares one scorer, `score`, and is valid unless `more` makes it otherwise. */
export function fixtureManifest(name: string, more: Partial<Manifest> = {}): Manifest {
  return {
    publisher: 'test',
    name,
    version: '1.0.0',
    engines: { huitou: '^0.2.0' },
    displayName: name,
    description: `Fixture ${name}`,
    main: './index.mjs',
    contributes: {
      scorers: [
        { id: 'score', title: 'Score', inputs: [], outputs: [{ id: 'x', title: 'X', type: 'number' }] },
      ],
    },
    ...more,
  }
}
