import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadModule } from './load-module.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'huitou-module-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function load(script: string) {
  writeFileSync(path.join(folder, 'page.mjs'), script)
  return loadModule('page.mjs', `${pathToFileURL(folder).href}/`)
}

test('a script gives its component and the style sheets beside it', async () => {
  const { component, stylesheets } = await load(
    `export default { setup: () => () => null }; export const stylesheets = ['./page.css']`,
  )
  expect(component).toHaveProperty('setup')
  expect(stylesheets).toEqual([`${pathToFileURL(folder).href}/page.css`])
})

test.each([
  ['nothing', '', 'exports no Vue component'],
  ['something else', 'export default { title: "page" }', 'exports no Vue component'],
  [
    'a style sheet from elsewhere',
    `export default () => null; export const stylesheets = ['../x.css']`,
    'beside',
  ],
  [
    'a style sheet of another host',
    `export default () => null; export const stylesheets = ['//x/y.css']`,
    'beside',
  ],
  ['an error', 'throw new Error("no luck")', 'no luck'],
])('a script that exports %s is refused with its reason', async (_what, script, reason) => {
  await expect(load(script)).rejects.toThrow(reason)
})
