import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { apiVersion } from '@huitou/plugin-api'
import { packPlugin } from '@huitou/plugin-host/install'
import { scratchFolder } from './fixtures.ts'
import { openBench } from './huitou.ts'

/** Packs, uploads and enables plugins as an owner would; each has code, texts in two languages and a setting. */
export async function installPlugins(folder: string, count: number): Promise<void> {
  using scratch = scratchFolder()
  await using bench = await openBench({ folder })
  for (let number = 1; number <= count; number++) {
    const dir = path.join(scratch.path, String(number))
    writePlugin(dir, number)
    const { bytes, archive } = await packPlugin(dir)
    await bench.huitou.plugins.upload(bytes, {})
    await bench.huitou.plugins.enable(archive.id, { grants: 'all', allowUnsigned: true })
  }
}

function writePlugin(dir: string, number: number): void {
  mkdirSync(dir, { recursive: true })
  const write = (name: string, text: string) => writeFileSync(path.join(dir, name), text)
  const manifest = {
    publisher: 'bench',
    name: `plugin-${number}`,
    version: '1.0.0',
    type: 'module',
    keywords: ['huitou-plugin'],
    engines: { huitou: `^${apiVersion}` },
    displayName: '%name%',
    description: '%name%',
    main: 'index.js',
    contributes: {
      commands: [{ id: 'go', title: '%command%' }],
      configuration: { properties: { days: { type: 'integer', title: '%days%', default: 30 } } },
    },
    permissions: { 'profile.read': ['commerce_*'] },
  }
  write('package.json', JSON.stringify(manifest))
  write('package.nls.json', JSON.stringify({ name: `Plugin ${number}`, command: 'Go', days: 'Days' }))
  write('package.nls.zh-CN.json', JSON.stringify({ name: `插件 ${number}`, command: '执行', days: '天数' }))
  write('README.md', `# Plugin ${number}\n`)
  // About as much as a plugin with a few dependencies bundled into it.
  const code = `export default { activate(huitou) { huitou.commands.register('go', { run: () => ${number} }) } }\n`
  write('index.js', code + `// ${'x'.repeat(76)}\n`.repeat(1_000))
}
