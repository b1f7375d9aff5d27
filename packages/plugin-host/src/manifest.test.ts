import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createPluginFolder, fixtureManifest } from '../test/fixture-plugins.ts'
import { checkEngine, readManifest } from './manifest.ts'

test('texts are handed out in both languages', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write('shop', '', {
    displayName: '%name%',
    description: 'Sells things',
    contributes: {
      reports: [
        {
          id: 'sales',
          title: '%sales%',
          group: '%name%',
          blocks: [{ id: 'a', kind: 'number', title: '%sales%' }],
        },
      ],
    },
    nls: { name: 'Shop', sales: 'Sales' },
    nlsZh: { name: '店铺' },
  })
  const { id, columnPrefix, manifest } = await readManifest(dir)
  expect({ id, columnPrefix }).toEqual({ id: 'test.shop', columnPrefix: 'shop' })
  expect(manifest.displayName).toEqual({ en: 'Shop', 'zh-CN': '店铺' })
  expect(manifest.description).toEqual({ en: 'Sells things', 'zh-CN': 'Sells things' })
  expect(manifest.contributes?.reports?.[0]).toEqual({
    id: 'sales',
    title: { en: 'Sales', 'zh-CN': 'Sales' },
    group: { en: 'Shop', 'zh-CN': '店铺' },
    blocks: [{ id: 'a', kind: 'number', title: { en: 'Sales', 'zh-CN': 'Sales' } }],
  })
})

const output = { id: 'x', title: 'X', type: 'number' as const }

test.each([
  {
    wrong: 'an unknown key',
    more: { contributes: { scorer: [] } as object },
    path: 'contributes',
    fix: 'Remove "scorer"',
  },
  {
    wrong: 'an unknown type',
    more: {
      contributes: {
        scorers: [{ id: 'a', title: 'A', inputs: [], outputs: [{ ...output, type: 'float' as never }] }],
      },
    },
    path: 'contributes.scorers[0].outputs[0].type is "float"',
    fix: 'Use one of "text"',
  },
  {
    wrong: 'a bad range',
    more: { engines: { huitou: 'newest' } },
    path: 'engines.huitou is "newest"',
    fix: 'Write a range',
  },
  { wrong: 'a bad version', more: { version: 'one' }, path: 'version is "one"', fix: 'semantic version' },
  {
    wrong: 'an entry outside',
    more: { main: '../other/index.mjs' },
    path: 'main is',
    fix: 'Name a file inside the plugin',
  },
  {
    wrong: 'an icon that is not there',
    more: { icon: './icon.png' },
    path: 'icon is "./icon.png"',
    fix: 'There is no such file',
  },
  {
    wrong: 'a missing text',
    more: { displayName: '%gone%' },
    path: 'displayName is "%gone%"',
    fix: 'Add "gone" to package.nls.json',
  },
  {
    wrong: 'an id used twice',
    more: {
      contributes: {
        commands: [
          { id: 'go', title: 'Go' },
          { id: 'go', title: 'Go' },
        ],
      },
    },
    path: 'contributes.commands[1].id is "go"',
    fix: 'no other entry',
  },
  {
    wrong: 'an input that was not asked for',
    more: { contributes: { scorers: [{ id: 'a', title: 'A', inputs: ['t_phone'], outputs: [output] }] } },
    path: 'contributes.scorers[0].inputs[0] is "t_phone"',
    fix: 'permissions["profile.read"]',
  },
  {
    wrong: 'settings that are no JSON Schema',
    more: { contributes: { configuration: { properties: { a: { type: 'strnig' } } } } },
    path: 'contributes.configuration.properties.a.type is "strnig"',
    fix: 'Use one of "array", "boolean"',
  },
  {
    wrong: 'a schema that would make its values promises',
    more: { contributes: { commands: [{ id: 'go', title: 'Go', input: { $async: true } }] } },
    path: 'contributes.commands[0].input.$async is true',
    fix: 'Remove $async',
  },
  {
    wrong: 'a name that is read from the other side',
    more: { displayName: 'Sky \u202eeuH' },
    path: 'displayName is',
    fix: 'turn or hide',
  },
  {
    wrong: 'more words than a manifest has',
    more: { description: 'x'.repeat(2_000_000) },
    path: 'has 2 MB',
    fix: 'below 1 MB',
  },
  {
    wrong: 'a time that never comes',
    more: { activationEvents: ['onSchedule:0 0 31 2 *'], permissions: { schedule: true } },
    path: 'activationEvents[0] is "onSchedule:0 0 31 2 *"',
    fix: 'such as 0 4 * * *',
  },
])('a manifest with $wrong is refused, naming file, path, value and fix', async ({ more, path, fix }) => {
  await using folder = await createPluginFolder()
  const dir = await folder.write('bad', '', more)
  const error = await readManifest(dir).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'E_MANIFEST', kind: 'user' })
  expect((error as Error).message).toContain('package.json')
  expect((error as Error).message).toContain(path)
  expect((error as { hint: string }).hint).toContain(fix)
})

test('a folder without a package.json is not a plugin', async () => {
  await expect(readManifest('/nowhere')).rejects.toMatchObject({ code: 'E_MANIFEST' })
})

test.each([
  { range: '^0.1.0', api: '0.1.4', fits: true },
  { range: '^0.1.0', api: '0.2.0', fits: false },
  { range: '>=1', api: '0.1.0', fits: false },
])('a plugin for $range on plugin API $api: fits $fits', async ({ range, api, fits }) => {
  await using folder = await createPluginFolder()
  const loaded = await readManifest(await folder.write('ranged', '', { engines: { huitou: range } }))
  if (fits) expect(() => checkEngine(loaded, api)).not.toThrow()
  else expect(() => checkEngine(loaded, api)).toThrow(expect.objectContaining({ code: 'E_ENGINE_RANGE' }))
})

test('settings get their defaults, and each wrong one is named', async () => {
  await using folder = await createPluginFolder()
  const { resolveSettings } = await readManifest(
    await folder.write('set', '', {
      contributes: {
        configuration: {
          properties: {
            days: { type: 'integer', default: 30, order: 1 },
            key: { type: 'string', secret: true },
          },
        },
      },
    }),
  )
  expect(resolveSettings({ key: 'k' })).toEqual({ days: 30, key: 'k' })
  expect(() => resolveSettings({ days: 'many' })).toThrow('days is "many"')
  expect(() => resolveSettings({ dyas: 3 })).toThrow(
    expect.objectContaining({ hint: 'Remove "dyas" or correct its name' }),
  )
})

test.for([
  { wrong: 'an object', nls: { name: { en: 'x' } as never } },
  { wrong: 'a character that hides', nls: { name: 'Huitou\u200b' } },
])('texts of which one is $wrong are refused by name', async ({ nls }) => {
  await using folder = await createPluginFolder()
  const dir = await folder.write('odd', '', { displayName: '%name%', nls })
  await expect(readManifest(dir)).rejects.toMatchObject({
    code: 'E_MANIFEST',
    message: expect.stringMatching(/package\.nls\.json: "name"/) as string,
  })
})

test('a text that every object has under that name is missing all the same', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write('odd', '', { displayName: '%constructor%', nls: {} })
  await expect(readManifest(dir)).rejects.toMatchObject({ hint: 'Add "constructor" to package.nls.json' })
})

test('levels without end are told of, whatever goes into them', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write('deep', '')
  const manifest = JSON.stringify({ ...fixtureManifest('deep'), galleryBanner: { color: 0 } })
  const levels = 50_000
  await writeFile(
    join(dir, 'package.json'),
    manifest.replace('"color":0', `"color":${'['.repeat(levels)}${']'.repeat(levels)}`),
  )
  await expect(readManifest(dir)).rejects.toMatchObject({ code: 'E_MANIFEST' })
})
