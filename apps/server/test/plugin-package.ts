import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { packPlugin, type SigningKey } from '@huitou/plugin-host/install'

export interface TestPlugin {
  name?: string
  publisher?: string
  version?: string
  /** Code of `index.js`; a scorer that counts events and a segmenter on it when absent. */
  code?: string
  contributes?: Record<string, unknown>
  permissions?: Record<string, unknown>
  manifest?: Record<string, unknown>
  files?: Record<string, string>
  key?: SigningKey | undefined
}

const contributes = {
  scorers: [
    {
      id: 'warmth',
      title: 'Warmth',
      inputs: ['event_count'],
      outputs: [{ id: 'warmth', title: 'Warmth', type: 'integer' }],
    },
  ],
  segmenters: [
    {
      id: 'level',
      title: 'Level',
      inputs: ['tea_warmth'],
      labels: [
        { id: 'guest', title: 'Guest' },
        { id: 'friend', title: 'Friend' },
      ],
    },
  ],
  collections: [
    {
      id: 'blends',
      title: 'Blends',
      schema: { type: 'object', required: ['name'], properties: { name: { type: 'string', title: 'Name' } } },
    },
  ],
  configuration: {
    type: 'object',
    properties: {
      factor: { type: 'integer', title: 'Factor', default: 1 },
      token: { type: 'string', title: 'Token', secret: true },
    },
  },
}

/** Scores events times the setting `factor` times `times`; friends are those from 10 on. */
export const scoring = (times = 1) => `
export default {
  activate(huitou) {
    huitou.scorers.register('warmth', {
      score({ ids, columns }) {
        const events = columns.event_count.values
        return { warmth: { kind: 'number', values: events.map((count) => count * huitou.settings.factor * ${times}) } }
      },
    })
    huitou.segmenters.register('level', {
      assign: ({ ids, columns }) => Int16Array.from(columns.tea_warmth.values, (value) => (value >= 10 ? 1 : 0)),
    })
  },
}`

/** Packs a small plugin, `acme.tea` when nothing else is said, as its author would. */
export async function packTestPlugin(plugin: TestPlugin = {}): Promise<Uint8Array<ArrayBuffer>> {
  const dir = mkdtempSync(path.join(tmpdir(), 'huitou-package-'))
  try {
    const manifest = {
      name: plugin.name ?? '@acme/tea',
      publisher: plugin.publisher ?? 'acme',
      version: plugin.version ?? '1.0.0',
      type: 'module',
      keywords: ['huitou-plugin'],
      license: 'MIT',
      displayName: 'Tea',
      description: 'Warmth towards tea',
      engines: { huitou: '*' },
      main: 'index.js',
      contributes: plugin.contributes ?? contributes,
      permissions: plugin.permissions ?? { 'profile.read': ['event_count'] },
      ...plugin.manifest,
    }
    const files = {
      'package.json': JSON.stringify(manifest),
      'index.js': plugin.code ?? scoring(),
      'README.md': '# Tea\\n',
      ...plugin.files,
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text)
    const { bytes } = await packPlugin(dir, plugin.key)
    return new Uint8Array(bytes)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export const teaContributes = contributes
