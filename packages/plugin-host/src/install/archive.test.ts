import { gzipSync } from 'node:zlib'
import path from 'node:path'
import { writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { Header } from 'tar'
import { expect, test } from 'vitest'
import { openArchive } from './archive.ts'
import { packSample, sampleFiles, temporaryFolder } from './package-fixture.ts'
import { writeTarball } from './tarball.ts'

const packageJson = JSON.stringify({ name: 'tea', version: '1.0.0', publisher: 'acme' })

test('a package is opened by its contents, whatever its top folder is called', async () => {
  const packed = await packSample()
  const archive = await openArchive(packed)
  expect(archive).toMatchObject({ id: 'acme.tea', name: '@acme/tea', version: '1.0.0', publisher: 'acme' })
  expect([...archive.files.keys()]).toEqual([
    'README.md',
    'index.js',
    'package.json',
    'package.nls.json',
    'package.nls.zh-CN.json',
  ])
  expect(Buffer.from(archive.files.get('README.md')!).toString()).toBe('# Tea\n')
  const files = [...sampleFiles()].reverse().map(([name, bytes]) => ({ name: `tea-1.0/${name}`, bytes }))
  const other = await openArchive(await writeTarball(files))
  expect(other.digest).toBe(archive.digest)
  expect(other.integrity).not.toBe(archive.integrity)
  expect(await packSample()).toEqual(packed)
})

test('long names, empty files and folders of their own are taken', async () => {
  const long = `package/${'deep/'.repeat(20)}${'ä'.repeat(40)}.txt`
  const archive = await openArchive(
    tarball([
      { path: 'package/', type: 'Directory' },
      { path: 'package/package.json', body: packageJson },
      { path: 'package/empty', body: '' },
    ]),
  )
  expect([...archive.files.keys()]).toEqual(['empty', 'package.json'])
  const files = [
    { name: 'package/package.json', bytes: Buffer.from(packageJson) },
    { name: long, bytes: Buffer.from('x') },
  ]
  expect((await openArchive(await writeTarball(files))).files.has(long.slice('package/'.length))).toBe(true)
})

test.each([
  { entry: '/etc/passwd', says: 'absolute path' },
  { entry: 'C:/Windows/x', says: 'absolute path' },
  { entry: '\\\\server\\x', says: 'absolute path' },
  { entry: 'package/../../x', says: 'leads out of its folder' },
  { entry: '../package/x', says: 'leads out of its folder' },
  { entry: 'package/a/..', says: 'leads out of its folder' },
  { entry: 'package/./x', says: 'empty folder name' },
  { entry: 'package//x', says: 'empty folder name' },
  { entry: 'package/a\\..\\..\\x', says: 'not every file system' },
  { entry: 'package/a:stream', says: 'not every file system' },
  { entry: 'package/tab\there', says: 'not every file system' },
  { entry: 'package/con', says: 'keeps for a device' },
  { entry: 'package/lib/NUL.js', says: 'keeps for a device' },
  { entry: 'package/COM1.tar.gz', says: 'keeps for a device' },
  { entry: 'package/end.', says: 'ending in a dot' },
  { entry: 'package/end ', says: 'ending in a dot' },
  { entry: `package/${'x/'.repeat(100)}y`, says: 'longer than' },
  { entry: 'package/Index.js', says: 'only in case', beside: 'package/index.js' },
  { entry: 'package/LIB/b.js', says: 'only in case', beside: 'package/lib/a.js' },
  { entry: 'package/e\u0301.js', says: 'accents', beside: 'package/\u00e9.js' },
  { entry: 'package/index.js', says: 'is there twice', beside: 'package/index.js' },
  { entry: 'package/lib/a.js', says: 'which is a file', beside: 'package/lib' },
  { entry: 'package/lib', says: 'is a folder as well', beside: 'package/lib/a.js' },
])('the name $entry is refused', async ({ entry, says, beside }) => {
  const before = beside === undefined ? [] : [{ path: beside, body: '1' }]
  const entries = [{ path: 'package/package.json', body: packageJson }, ...before, { path: entry, body: '2' }]
  // The library that writes archives does not write an absolute name; by hand there is no room for long ones.
  const packed =
    entry.length < 100
      ? tarball(entries)
      : await writeTarball(entries.map(({ path: name, body }) => ({ name, bytes: Buffer.from(body) })))
  const error = await openArchive(packed).catch((reason) => reason)
  expect(error).toMatchObject({ code: 'E_ARCHIVE_PATH', kind: 'user', hint: expect.any(String) })
  expect(error.message).toContain(says)
  expect(entry).toContain(error.details.entry)
})

test.each([
  { type: 'SymbolicLink', linkpath: '/etc', code: 'E_ARCHIVE_LINK' },
  { type: 'Link', linkpath: 'package/package.json', code: 'E_ARCHIVE_LINK' },
  { type: 'CharacterDevice', code: 'E_ARCHIVE_ENTRY' },
  { type: 'BlockDevice', code: 'E_ARCHIVE_ENTRY' },
  { type: 'FIFO', code: 'E_ARCHIVE_ENTRY' },
  { type: 'ContiguousFile', code: 'E_ARCHIVE_ENTRY' },
  { type: 'GNUDumpDir', code: 'E_ARCHIVE_ENTRY' },
] as const)('a $type is refused', async ({ code, ...entry }) => {
  const packed = tarball([
    { path: 'package/package.json', body: packageJson },
    { path: 'package/odd', ...entry },
  ])
  await expect(openArchive(packed)).rejects.toMatchObject({ code, details: { entry: 'package/odd' } })
})

test('what is too large is refused before it takes up memory', async () => {
  const bomb = gzipSync(Buffer.alloc(61_000_000), { level: 1 })
  await expect(openArchive(bomb)).rejects.toMatchObject({ code: 'E_ARCHIVE_TOO_LARGE' })
  const nested = tarball([{ path: 'package/package.json', body: packageJson }])
  await expect(openArchive(gzipSync(nested))).rejects.toMatchObject({ code: 'E_ARCHIVE' })
  const disguised = Buffer.concat([
    Buffer.from([0x1f, 0x8b]),
    Buffer.alloc(255),
    Buffer.from('ustar'),
    Buffer.alloc(250),
  ])
  await expect(openArchive(gzipSync(disguised))).rejects.toMatchObject({ code: 'E_ARCHIVE' })

  const packed = await packSample({ files: { 'data.txt': 'x'.repeat(5000) } })
  for (const [limits, code] of [
    [{ packedBytes: 100 }, 'E_ARCHIVE_TOO_LARGE'],
    [{ unpackedBytes: 4000 }, 'E_ARCHIVE_TOO_LARGE'],
    [{ fileBytes: 4999 }, 'E_ARCHIVE_FILE_TOO_LARGE'],
    [{ files: 5 }, 'E_ARCHIVE_TOO_MANY'],
  ] as const) {
    await expect(openArchive(packed, limits)).rejects.toMatchObject({ code })
  }
  expect((await openArchive(packed, { files: 6, fileBytes: 5000 })).files.size).toBe(6)

  await using folder = await temporaryFolder()
  const file = path.join(folder.path, 'tea.tgz')
  await writeFile(file, packed)
  expect((await openArchive(file)).id).toBe('acme.tea')
  await expect(openArchive(file, { packedBytes: 100 })).rejects.toMatchObject({ code: 'E_ARCHIVE_TOO_LARGE' })
  await expect(openArchive(`${file}x`)).rejects.toMatchObject({ code: 'E_ARCHIVE_FILE' })
  await expect(openArchive(folder.path)).rejects.toMatchObject({ code: 'E_ARCHIVE_FILE' })
})

test('a header may not claim more than there is', async () => {
  const packed = tarball([{ path: 'package/package.json', body: packageJson, size: 8_000_000_000 }])
  await expect(openArchive(packed)).rejects.toMatchObject({ code: 'E_ARCHIVE_FILE_TOO_LARGE' })
  const short = tarball([{ path: 'package/package.json', body: packageJson, size: 100_000 }])
  await expect(openArchive(short)).rejects.toMatchObject({ code: 'E_ARCHIVE_TRUNCATED' })
})

test.each([
  { files: { 'package/readme': 'x' }, code: 'E_ARCHIVE_NO_PLUGIN', says: 'has no package.json' },
  { files: { 'package/package.json': '{' }, code: 'E_ARCHIVE_NO_PLUGIN', says: 'not JSON' },
  { files: { 'package/package.json': 'null' }, code: 'E_ARCHIVE_NO_PLUGIN', says: 'no publisher' },
  {
    files: { 'package/package.json': '{"publisher":"a"}' },
    code: 'E_ARCHIVE_NO_PLUGIN',
    says: 'neither name',
  },
  { files: { 'a/package.json': packageJson, 'b/x': '' }, code: 'E_ARCHIVE_LAYOUT', says: 'outside' },
  { files: { 'package.json': packageJson }, code: 'E_ARCHIVE_LAYOUT', says: 'outside' },
])('an archive that $says is no plugin', async ({ files, code, says }) => {
  const entries = Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) }))
  const error = await openArchive(await writeTarball(entries)).catch((reason) => reason)
  expect(error).toMatchObject({ code })
  expect(error.message).toContain(says)
})

test.each([
  ['nothing', new Uint8Array()],
  ['text', Buffer.from('no archive')],
  ['a page', Buffer.from('<!doctype html><title>Sign in</title>')],
  ['zipped text', gzipSync('no archive')],
  ['a zip file', Buffer.from('PK\u0003\u0004rest')],
])('%s is no archive', async (_, bytes) => {
  await expect(openArchive(bytes)).rejects.toMatchObject({ code: expect.stringMatching(/^E_ARCHIVE/) })
})

test('whatever happens to its bytes, an archive opens as it was or is refused', async () => {
  const packed = await packSample()
  const { digest } = await openArchive(packed)
  const cut = fc.nat({ max: packed.length - 1 }).map((length) => packed.slice(0, length))
  const flip = fc
    .tuple(fc.nat({ max: packed.length - 1 }), fc.integer({ min: 1, max: 255 }))
    .map(([at, by]) => {
      const copy = packed.slice()
      copy[at]! ^= by
      return copy
    })
  await fc.assert(
    fc.asyncProperty(fc.oneof(cut, flip), async (damaged) => {
      const outcome = await openArchive(damaged).catch((error) => error)
      if (outcome.code === undefined) expect(outcome.digest).toBe(digest)
      else expect(outcome).toMatchObject({ code: expect.stringMatching(/^E_ARCHIVE/), kind: 'user' })
    }),
    { numRuns: 200 },
  )
})

test('whatever its inside holds, an archive gives files that stay inside or is refused', async () => {
  const raw = tarball(
    [
      { path: 'package/package.json', body: packageJson },
      { path: 'package/index.js', body: 'x'.repeat(700) },
    ],
    { zip: false },
  )
  const change = fc.array(fc.tuple(fc.nat({ max: raw.length - 1 }), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 8,
  })
  await fc.assert(
    fc.asyncProperty(change, async (changes) => {
      const copy = Buffer.from(raw)
      for (const [at, value] of changes) copy[at] = value
      for (const start of [0, 1024]) fixChecksum(copy.subarray(start, start + 512))
      const outcome = await openArchive(gzipSync(copy, { level: 1 })).catch((error) => error)
      if (outcome.code !== undefined) {
        expect(outcome).toMatchObject({ code: expect.stringMatching(/^E_ARCHIVE/), kind: 'user' })
        return
      }
      for (const name of outcome.files.keys()) expect(path.posix.normalize(`/x/${name}`)).toBe(`/x/${name}`)
    }),
    { numRuns: 300 },
  )
})

interface Entry {
  path: string
  type?:
    | 'File'
    | 'Directory'
    | 'SymbolicLink'
    | 'Link'
    | 'CharacterDevice'
    | 'BlockDevice'
    | 'FIFO'
    | 'ContiguousFile'
    | 'GNUDumpDir'
  body?: string
  size?: number
  linkpath?: string
}

/** A tar archive written by hand, as nobody's tool would. */
function tarball(entries: Entry[], { zip = true } = {}): Buffer {
  const blocks = entries.flatMap(({ body = '', type = 'File', ...entry }) => {
    const bytes = Buffer.from(body)
    const header = Buffer.alloc(512)
    new Header({ mode: 0o644, size: bytes.length, type, mtime: new Date(0), ...entry }).encode(header)
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]
  })
  const tar = Buffer.concat([...blocks, Buffer.alloc(1024)])
  return zip ? gzipSync(tar) : tar
}

function fixChecksum(header: Buffer): void {
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}
