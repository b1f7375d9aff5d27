import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  differences,
  flatten,
  hasMessage,
  literals,
  manifestKeys,
  readMessages,
  unnamed,
  usedKeys,
  type Messages,
} from './messages.ts'

const root = path.resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

describe('the admin app', () => {
  const english = readMessages(root, 'en')
  const chinese = readMessages(root, 'zh-CN')

  test('says everything in English and in Chinese', () => {
    expect(differences(english, chinese, ['en', 'zh-CN'])).toEqual([])
  })

  test('asks only for texts that exist', () => {
    const files = globSync('{apps/admin,packages/admin-kit}/src/**/*.{vue,ts}', { cwd: root })
    const missing = files
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => usedKeys(read(file)).map((used) => ({ file, ...used })))
      .filter(({ key }) => !hasMessage(english, key))
      .map(({ file, line, key }) => `${file}:${line} asks for "${key}"`)
    expect(missing).toEqual([])
  })
})

const manifests = globSync('{plugins,examples}/*/package.json', { cwd: root }).filter((file) =>
  read(file).includes('"contributes"'),
)

describe.each(manifests)('%s', (file) => {
  const folder = path.dirname(file)
  const nls = (name: string): Messages =>
    existsSync(path.join(root, folder, name)) ? flatten(JSON.parse(read(path.join(folder, name)))) : new Map()
  const english = nls('package.nls.json')
  const chinese = nls('package.nls.zh-CN.json')

  test('says everything in English and in Chinese', () => {
    expect(differences(english, chinese, ['package.nls.json', 'package.nls.zh-CN.json'])).toEqual([])
  })

  test('names only texts that exist', () => {
    expect(manifestKeys(read(file)).filter((key) => !hasMessage(english, key))).toEqual([])
  })

  test('has no text that nothing names', () => {
    const sources = globSync('src/**/*.ts', { cwd: path.join(root, folder) })
    // A plugin's code names its texts between percent signs for the host, or reads the file and asks by bare key.
    const code = sources.map((source) => read(path.join(folder, source)))
    const named = [read(file), ...code].flatMap(manifestKeys).concat(code.flatMap(literals))
    expect(unnamed(english, named)).toEqual([])
  })
})

describe('the check itself', () => {
  const messages = flatten({ jobs: { state: { done: 'Done', failed: 'Failed' }, left: '{count} left' } })

  test('finds a text that one language lacks, whichever it is', () => {
    const one = flatten({ a: { b: 'B', c: 'C' } })
    const other = flatten({ a: { b: '乙', d: '丁' } })
    expect(differences(one, other, ['en', 'zh-CN'])).toEqual([
      '"a.c" is in en and not in zh-CN',
      '"a.d" is in zh-CN and not in en',
    ])
  })

  test('finds a number that one language forgot to show', () => {
    expect(
      differences(messages, new Map([...messages, ['jobs.left', '还剩']]), ['en', 'zh-CN']),
    ).toHaveLength(1)
  })

  test('finds the keys that code asks for', () => {
    const source = `const a = t('jobs.left', { count })
      <b>{{ $t("jobs.title") }}</b> <i18n-t keypath="jobs.hint" />
      t(\`jobs.state.\${job.state}\`); format('not.this'); at('nor.this'); expect.t(':')`
    expect(usedKeys(source)).toEqual([
      { key: 'jobs.left', line: 1 },
      { key: 'jobs.title', line: 2 },
      { key: 'jobs.state.*', line: 3 },
      { key: 'jobs.hint', line: 2 },
    ])
  })

  test('takes a key with an open part as found when any text has its shape', () => {
    expect(hasMessage(messages, 'jobs.state.*')).toBe(true)
    expect(hasMessage(messages, 'jobs.kind.*')).toBe(false)
    expect(hasMessage(messages, 'jobs.state')).toBe(false)
  })

  test('finds the texts that a manifest names', () => {
    const manifest = '{ "title": "%rfm.title%", "unit": "100%", "note": "50% of %" }'
    expect(manifestKeys(manifest)).toEqual(['rfm.title'])
    expect(manifestKeys("title: `%labels.${id}.title%`, unit: '%days%'")).toEqual(['labels.*.title', 'days'])
  })

  test('finds the texts that nothing names', () => {
    const texts = flatten({ labels: { vip: { title: 'VIP' } }, days: 'days', old: 'old' })
    expect(unnamed(texts, ['labels.*.title', 'days'])).toEqual(['old'])
    expect(unnamed(texts, literals("text(`labels.${id}.title`, `${id}`) + text('old')"))).toEqual(['days'])
  })
})
