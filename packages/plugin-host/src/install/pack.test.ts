import { execFile } from 'node:child_process'
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openArchive } from './archive.ts'
import { temporaryFolder, writeSample } from './package-fixture.ts'
import { packPlugin, signArchive, signFolder } from './pack.ts'
import { checkSignature, createSigningKey } from './signature.ts'

const run = promisify(execFile)

test('packing gives what npm packs, and the same bytes every time', async () => {
  await using folder = await temporaryFolder()
  await writeSample(folder.path, {
    manifest: { main: 'dist/index.js', files: ['dist', 'package.nls*.json', '!dist/secret.txt'] },
    files: {
      'dist/index.js': 'export default {}',
      'dist/deep/er.js': '',
      'dist/secret.txt': 'no',
      'src/index.ts': 'no',
      LICENSE: 'MIT',
      '.npmrc': 'no',
      'node_modules/x/index.js': 'no',
    },
  })
  const packed = await packPlugin(folder.path)
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: folder.path,
  })
  const npm = Object.values(
    JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>,
  )[0]!
  expect([...packed.archive.files.keys()].sort()).toEqual(npm.files.map((file) => file.path).sort())
  expect(packed.fileName).toBe(npm.filename)
  expect(packed.warnings).toEqual([])

  await utimes(path.join(folder.path, 'dist/index.js'), 1, 1)
  expect((await packPlugin(folder.path)).bytes).toEqual(packed.bytes)
})

test('what is on the ignore list, a link, or left from working on it stays out', async () => {
  await using folder = await temporaryFolder()
  await writeSample(folder.path, {
    files: {
      '.npmignore': 'notes.md\n',
      'notes.md': 'x',
      'test/x.js': '',
      '.huitou/secret': 'x',
      'acme-tea-0.9.0.tgz': 'x',
    },
  })
  await symlink('/etc/hostname', path.join(folder.path, 'link.txt'))
  const { archive } = await packPlugin(folder.path)
  expect([...archive.files.keys()]).toEqual([
    'README.md',
    'index.js',
    'package.json',
    'package.nls.json',
    'package.nls.zh-CN.json',
    'test/x.js',
  ])
})

test('an author is told what will not work, and what everybody would read', async () => {
  await using folder = await temporaryFolder()
  await writeSample(folder.path, {
    manifest: { keywords: [], scripts: { postinstall: 'x', test: 'y' }, bundleDependencies: ['left-pad'] },
    files: {
      'README.md': '',
      'index.js': [
        "import { definePlugin } from '@huitou/plugin-api'",
        "import { createCore } from '@huitou/core'",
        "import type { Core } from '@huitou/server'",
        "import { readFile } from 'node:fs/promises'",
        "import http from 'http'",
        "import { createHash } from 'node:crypto'",
        "import own from './lib/own.ts'",
        "export * from 'left-pad/lib'",
        "import './lib/missing.ts'",
        "import './lib/broken.js'",
        'const later = await import("node:child_process")',
        'process.binding("fs")',
        'export default definePlugin({})',
      ].join('\n'),
      'lib/own.ts':
        "import type { X } from 'node:net'\nimport '@scope/tool/deep'\nexport default 1 as number",
      'test/own.test.ts': "import { test } from 'vitest'\nimport '@huitou/testing'",
      'lib/unused.js': "import 'node:fs'",
      'lib/own.d.ts': "import { Y } from '@huitou/core'",
      'lib/broken.js': 'import {',
      '.env': 'TOKEN=1',
      'keys/acme.key.json': '{}',
      'notes.txt': '-----BEGIN PRIVATE KEY-----',
    },
  })
  const { warnings } = await packPlugin(folder.path)
  expect(warnings.map(({ code, file, message }) => `${code} ${file}: ${message}`).sort())
    .toMatchInlineSnapshot(`
      [
        "bundled package.json: bundleDependencies are not packed; bundle the code, or pack with npm pack",
        "host-internal index.js: @huitou/core is the inside of Huitou and not there for plugins",
        "keyword package.json: Without the keyword "huitou-plugin" nobody finds it in a registry",
        "not-in-package index.js: ./lib/missing.ts is not in the package",
        "not-in-package index.js: left-pad is not in the package: nothing is installed beside a plugin, so bundle it",
        "not-in-package lib/own.ts: @scope/tool is not in the package: nothing is installed beside a plugin, so bundle it",
        "sandbox index.js: node:child_process is closed to plugins",
        "sandbox index.js: node:fs is closed to plugins, but for reading their own folder",
        "sandbox index.js: node:http is closed to plugins; use huitou.fetch",
        "sandbox index.js: process.binding is closed to plugins",
        "scripts package.json: Huitou never runs scripts.postinstall",
        "secret .env: This looks like a secret, and everybody could read it",
        "secret keys/acme.key.json: This looks like a secret, and everybody could read it",
        "secret notes.txt: This looks like a secret, and everybody could read it",
        "tests test/own.test.ts: Tests are in the package (1): name what belongs there under "files" in package.json",
        "unreadable lib/broken.js: Parse error lib/broken.js:1:9",
      ]
    `)
})

test('code that loads what it names at run time makes every file count, tests aside', async () => {
  await using folder = await temporaryFolder()
  await writeSample(folder.path, {
    files: {
      'index.js': 'const { text } = await import(`./texts/${navigator.language}.js`)',
      'texts/en.js': "import 'node:net'",
      'test/en.js': "import 'node:net'",
    },
  })
  const { warnings } = await packPlugin(folder.path)
  expect(warnings.map(({ code, file }) => `${code} ${file}`)).toEqual([
    'sandbox texts/en.js',
    'tests test/en.js',
  ])
})

test('what would not install is not packed', async () => {
  await using folder = await temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  await writeSample(at('unbuilt'), { manifest: { main: 'dist/index.js' } })
  await writeSample(at('ignored'), { manifest: { files: ['package.nls*.json', '!index.js'] } })
  await writeSample(at('odd'), { manifest: { files: 'dist' } })
  await writeSample(at('case'), { files: { 'lib/a.js': '', 'LIB/a.js': '' } })
  await writeSample(at('device'), { files: { 'aux.js': '' } })
  await mkdir(at('empty'))
  await expect(packPlugin(at('unbuilt'))).rejects.toMatchObject({ code: 'E_MANIFEST' })
  await expect(packPlugin(at('odd'))).rejects.toMatchObject({ code: 'E_MANIFEST' })
  await expect(packPlugin(at('case'))).rejects.toMatchObject({ code: 'E_ARCHIVE_PATH' })
  await expect(packPlugin(at('device'))).rejects.toMatchObject({ code: 'E_ARCHIVE_PATH' })
  await expect(packPlugin(at('empty'))).rejects.toMatchObject({ code: 'E_MANIFEST' })
  expect(await readdir(at('unbuilt'))).not.toContain('acme-tea-1.0.0.tgz')
})

test('a folder that npm will pack is signed as npm will pack it', async () => {
  await using folder = await temporaryFolder()
  const key = createSigningKey('acme')
  await writeSample(folder.path, { files: { 'notes.tmp': 'x', '.npmignore': '*.tmp' } })
  await signFolder(folder.path, key)
  await run('npm', ['pack', '--ignore-scripts'], { cwd: folder.path })
  const { files } = await openArchive(path.join(folder.path, 'acme-tea-1.0.0.tgz'))
  expect(checkSignature(files, [{ ...key, addedAt: 0 }]).state).toBe('trusted')
  await writeSample(folder.path, { manifest: { files: ['index.js', 'package.nls*.json'] } })
  await expect(signFolder(folder.path, key)).rejects.toMatchObject({ code: 'E_MANIFEST' })
})

test('a package is signed while packing or later, and its contents stay the same', async () => {
  await using folder = await temporaryFolder()
  await writeSample(folder.path)
  const key = createSigningKey('acme')
  const plain = await packPlugin(folder.path)
  const signed = await packPlugin(folder.path, key)
  const later = await signArchive(plain.archive, key)
  expect(later.bytes).toEqual(signed.bytes)
  expect(later.archive.digest).toBe(plain.archive.digest)
  expect(checkSignature((await openArchive(later.bytes)).files, [{ ...key, addedAt: 0 }]).state).toBe(
    'trusted',
  )
  await writeFile(path.join(folder.path, 'huitou.sig.json'), '{}')
  expect((await packPlugin(folder.path, key)).bytes).toEqual(signed.bytes)
})
