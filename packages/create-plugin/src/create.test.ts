import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readManifest } from '@huitou/plugin-host'
import { openContracts } from '@huitou/testing/contracts/open-contracts'
import { runCreate } from './command.mjs'
import { createPlugin, toName } from './create.mjs'
import { templates } from './templates.mjs'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'create-plugin-'))
})
afterAll(() => rm(root, { recursive: true }))

/** Runs the command as a terminal would, with `answers` typed in one after another. */
async function run(args: string[], answers?: string[]) {
  const input = Object.assign(Readable.from((answers ?? []).map((answer) => `${answer}\n`)), {
    isTTY: answers !== undefined,
  })
  const [output, error] = [new PassThrough(), new PassThrough()]
  const code = await runCreate(args, { input, output, error })
  output.end()
  error.end()
  return { code, said: await text(output), complained: await text(error) }
}

test.each(templates)('the template $name is a valid plugin in both languages', async ({ name: template }) => {
  const folder = path.join(root, `my-${template}`)
  const name = `my-${template}`
  const written = createPlugin({ folder, name, publisher: 'acme', title: 'My plugin', template })
  expect(written).toEqual(
    expect.arrayContaining(['.gitignore', 'CONTRIBUTING.md', 'README.md', 'README.zh-CN.md', 'package.json']),
  )
  const { id, manifest } = await readManifest(folder)
  expect(id).toBe(`acme.${name}`)
  expect(manifest.displayName).toEqual({ en: 'My plugin', 'zh-CN': 'My plugin' })
  expect(manifest.description.en).not.toBe(manifest.description['zh-CN'])
  for (const file of written) {
    expect(await readFile(path.join(folder, file), 'utf8'), file).not.toMatch(/__[a-z]+__/)
  }
})

test.each(templates)(
  'the template $name keeps the contracts of its points as it stands',
  async ({ name: template }) => {
    const folder = path.join(root, `kept-${template}`)
    createPlugin({ folder, name: `kept-${template}`, publisher: 'acme', title: 'Kept', template })
    await using contracts = await openContracts(folder)
    expect(contracts.checks.length > 0).toBe(template !== 'declarative')
    for (const { title, run } of contracts.checks) await expect(run(), title).resolves.toBeUndefined()
  },
)

test('every text of a template is there in both languages', async () => {
  for (const { name } of templates) {
    const read = async (file: string) =>
      Object.keys(
        JSON.parse(
          await readFile(new URL(`../templates/${name}/${file}`, import.meta.url), 'utf8'),
        ) as object,
      )
    expect(await read('package.nls.zh-CN.json'), name).toEqual(await read('package.nls.json'))
  }
})

test('flags answer everything, and nothing is asked', async () => {
  const folder = path.join(root, 'Flag Plugin')
  const { code, said } = await run([
    folder,
    '--template',
    'report',
    '--publisher',
    'acme',
    '--title',
    'Flags',
  ])
  expect(code).toBe(0)
  expect(said).toContain('Created acme.flag-plugin')
  expect((await readManifest(folder)).manifest.displayName.en).toBe('Flags')
})

test('what flags leave open is asked for, again when the answer does not do', async () => {
  const folder = path.join(root, 'asked')
  const { code, said } = await run([folder], ['painting', 'segmenter', 'Acme!', 'acme', 'Asked for'])
  expect(code).toBe(0)
  expect(said).toContain('Choose one of scorer, segmenter')
  expect(said).toContain('"Acme!" is no publisher')
  const { id, manifest } = await readManifest(folder)
  expect({ id, title: manifest.displayName.en }).toEqual({ id: 'acme.asked', title: 'Asked for' })
})

test.each([
  {
    wrong: 'an unknown template',
    args: ['new', '--template', 'painting'],
    says: 'There is no template "painting"',
  },
  { wrong: 'a publisher with spaces', args: ['new', '--publisher', 'A B'], says: '"A B" is no publisher' },
  { wrong: 'an unknown option', args: ['new', '--colour', 'red'], says: '--colour' },
  { wrong: 'a folder that is not empty', args: ['full', '--yes'], says: 'is not empty' },
])('$wrong is refused and nothing is written', async ({ args: [folder, ...rest], says }) => {
  await mkdir(path.join(root, 'full'), { recursive: true })
  await writeFile(path.join(root, 'full', 'mine.txt'), 'mine')
  const { code, complained } = await run([path.join(root, folder!), ...rest])
  expect(code).toBe(1)
  expect(complained).toContain(says)
  await expect(readFile(path.join(root, folder!, 'package.json'))).rejects.toThrow('ENOENT')
})

test('types come from the clone when there is one, else from the registry', async () => {
  const folder = path.join(root, 'typed')
  createPlugin({ folder, name: 'typed', publisher: 'acme', title: 'Typed', template: 'scorer' })
  const read = async (file: string) =>
    JSON.parse(await readFile(path.join(folder, file), 'utf8')) as Record<string, unknown>
  expect(JSON.stringify(await read('tsconfig.json'))).toContain('packages/plugin-api/src/index.ts')
  // Nothing is installed beside a clone: its compiler is lent.
  const { scripts } = (await read('package.json')) as { scripts: { types: string } }
  expect(existsSync(path.join(folder, JSON.parse(scripts.types) as string))).toBe(true)
  expect(JSON.stringify(await read('.vscode/settings.json'))).toContain('plugin-api/manifest.schema.json')
  expect(await read('package.json')).not.toHaveProperty('devDependencies')
})

test.each([
  ['My Plugin', 'my-plugin'],
  ['2 fast', 'fast'],
  ['Ünï--code_', 'n-code'],
])('a folder called %s makes the name %s', (folder, name) => {
  expect(toName(folder)).toBe(name)
})
