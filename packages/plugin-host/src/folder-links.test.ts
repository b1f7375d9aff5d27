import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkLinks } from './folder-links.ts'

let root: string
beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'huitou-links-')))
  await mkdir(path.join(root, 'plugin', 'src'), { recursive: true })
  await writeFile(path.join(root, 'plugin', 'src', 'index.mjs'), '')
})
afterEach(() => rm(root, { recursive: true }))

test('a folder whose links stay inside is fine, even when they go in circles', async () => {
  const dir = path.join(root, 'plugin')
  await symlink('..', path.join(dir, 'src', 'up'))
  await symlink('.', path.join(dir, 'self'))
  await symlink('src/index.mjs', path.join(dir, 'entry.mjs'))
  expect(await checkLinks('acme.tea', dir)).toBe(dir)
})

test.each(['../outside', '/etc/passwd', '../nowhere'])('a link to %s is refused by name', async (target) => {
  await mkdir(path.join(root, 'outside'))
  await symlink(target, path.join(root, 'plugin', 'src', 'out'))
  await expect(checkLinks('acme.tea', path.join(root, 'plugin'))).rejects.toMatchObject({
    code: 'E_PLUGIN_FOLDER',
    message: expect.stringContaining(path.join('src', 'out')),
  })
})
