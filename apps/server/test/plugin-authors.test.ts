import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runCommand } from 'citty'
import { createPlugin } from 'create-huitou-plugin'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pluginCommand } from '../src/cli/plugin.ts'

let root: string
let folder: string

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'huitou-authors-'))
  folder = path.join(root, 'loyalty')
  createPlugin({ folder, name: 'loyalty', publisher: 'acme', title: 'Loyalty', template: 'scorer' })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

interface Printed {
  passed?: boolean
  lines?: { name: string; problem?: string }[]
  error?: { code: string; message: string; hint?: string }
}

/** Runs `huitou plugin test` with `--json` and gives what it printed, and the exit code. */
async function check(...args: string[]): Promise<Printed & { exitCode: number }> {
  let printed = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
  try {
    await runCommand(pluginCommand, { rawArgs: ['test', folder, ...args, '--json'] })
    return { ...(JSON.parse(printed) as Printed), exitCode: Number(process.exitCode ?? 0) }
  } finally {
    write.mockRestore()
    process.exitCode = 0
  }
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const place = path.join(folder, file)
  await writeFile(place, change(await readFile(place, 'utf8')))
}

test('a plugin as it was made passes; one that breaks a promise is told which, and ends with 1', async () => {
  expect(await check()).toMatchObject({ passed: true, exitCode: 0 })
  await edit('src/scorer.ts', (text) => text.replace('Math.round(50', 'Math.round(500'))
  const { passed, lines, exitCode } = await check()
  expect({ passed, exitCode }).toEqual({ passed: false, exitCode: 1 })
  expect(lines?.find(({ problem }) => problem)?.problem).toMatch(
    /^"score" is \d+ in row \d, outside 0 to 100$/,
  )
})

test('a manifest with a mistake is refused with file, path, value and fix', async () => {
  await edit('package.json', (text) => text.replace('"commerce_orders",', '"commerce_ordres",'))
  const { error, exitCode } = await check()
  expect(exitCode).toBe(1)
  expect(error?.code).toBe('E_MANIFEST')
  expect(error?.message).toContain('contributes.scorers[0].inputs[0] is "commerce_ordres"')
  expect(error?.hint).toContain('permissions["profile.read"]')
})

test('samples that are no JSON, and a recording that is not there, are named', async () => {
  const { error } = await check('--replay', path.join(root, 'nowhere.jsonl'))
  expect(error).toMatchObject({ code: 'E_RECORDING' })
  await mkdir(path.join(folder, 'test'), { recursive: true })
  writeFileSync(path.join(folder, 'test', 'samples.json'), '{ "columns": ')
  expect((await check()).error).toMatchObject({
    code: 'E_SAMPLES',
    message: expect.stringContaining('samples.json'),
  })
})

test('a plugin that does not start says why at every promise', async () => {
  await edit('src/index.ts', (text) =>
    text.replace('subscriptions.push', "throw new Error('not finished')\n    subscriptions.push"),
  )
  const { lines } = await check()
  expect(lines?.filter(({ problem }) => problem?.includes('not finished')).length).toBeGreaterThan(3)
})
