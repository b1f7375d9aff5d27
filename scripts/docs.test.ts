import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.dirname(import.meta.dirname)
const pages = globSync(['*.md', 'docs/**/*.md', '{packages,plugins,examples}/*/*.md'], { cwd: root })
const read = (page: string) => readFileSync(path.join(root, page), 'utf8')

test('every link between pages leads somewhere', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !existsSync(path.join(root, path.dirname(page), target)))
      .map((target) => `${page} links to ${target}`),
  )
  expect(broken).toEqual([])
})

test('every guide for operators exists in Chinese', () => {
  const guides = globSync('docs/guide/*.md', { cwd: root }).map((page) => path.basename(page))
  expect(guides).not.toEqual([])
  expect(
    globSync('docs/zh-CN/guide/*.md', { cwd: root })
      .map((page) => path.basename(page))
      .toSorted(),
  ).toEqual(guides.toSorted())
})

test('every decision is in the index, under its own title', () => {
  const index = read('docs/adr/README.md')
  const decisions = globSync('docs/adr/0*.md', { cwd: root }).filter(
    (page) => !page.endsWith('0000-template.md'),
  )
  const missing = decisions.filter((page) => {
    const title = /^# \d{4}\. (.+)$/m.exec(read(page))?.[1]
    return !title || !index.includes(`](${path.basename(page)}) | ${title} |`)
  })
  expect(missing).toEqual([])
})

test.each(['docs/guide/plugins.md', 'docs/zh-CN/guide/plugins.md'])(
  '%s shows the example as it is',
  (page) => {
    const example = (file: string) => read(path.join('examples/tea-club', file)).trimEnd()
    const shown = read(page)
    expect(shown).toContain(example('package.json'))
    expect(shown).toContain(example('src/index.ts'))
  },
)
