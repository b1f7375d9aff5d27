/**
 * Serves the demo shop with an older commit (or an older binary), works in it, stops it, asks this commit whether it
 * could upgrade, serves the same folder with this commit, and compares what both say. Prints one line of JSON.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { countRows } from './count-rows.ts'
import { fillShop, type Shop, signIn } from './fill-shop.ts'
import { compare, readAnswers } from './read-answers.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { binary: { type: 'string' }, customers: { type: 'string', default: '1000' } },
})
const root = path.join(import.meta.dirname, '../..')
const [commit] = positionals
if (!commit === !values.binary) {
  process.stderr.write(
    'Name a commit, or an older binary: npm run upgrade-from -- COMMIT | --binary FILE [--customers 1000]\n',
  )
  process.exit(2)
}

/** What starts Huitou: a binary, or Node and a file. */
type Start = readonly string[]

/** Lays the older commit's files out and installs what it asks for. */
function layOut(folder: string, what: string): Start {
  mkdirSync(folder)
  run(['sh', '-c', `git archive ${what} | tar -x -C "${folder}"`], root)
  const install = `import('${folder}/scripts/bootstrap.mjs').then((it) => it.ensureInstalled({ quiet: true }))`
  run([process.execPath, '-e', install], folder)
  return [path.join(folder, 'node_modules/node/bin/node'), path.join(folder, 'apps/server/src/main.ts')]
}

function run([program = '', ...args]: Start, cwd: string): string {
  const done = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1e8,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (done.status !== 0)
    throw new Error(`${program} ended with ${done.status ?? done.signal}: ${done.stdout}`)
  return done.stdout
}

/** Serves `dataDir` while `work` runs. */
async function serve<T>(
  start: Start,
  options: readonly string[],
  work: (url: string) => Promise<T>,
): Promise<T> {
  const [program = '', ...args] = start
  const child = spawn(program, [...args, 'serve', '--port', '0', '--json', ...options], {
    env: { ...process.env, HUITOU_LOG_LEVEL: 'silent', HUITOU_DEMO_CUSTOMERS: values.customers },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    for await (const line of createInterface({ input: child.stdout }))
      if (line.startsWith('{"url"')) return await work((JSON.parse(line) as { url: string }).url)
    throw new Error('The server ended before it answered')
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'huitou-upgrade-from-'))
const dataDir = path.join(folder, 'data')
const data = ['--data', dataDir]
const now: Start = [process.execPath, path.join(root, 'apps/server/src/main.ts')]
try {
  const old: Start = values.binary
    ? [path.resolve(values.binary)]
    : layOut(path.join(folder, 'old'), commit as string)
  const before = await serve(old, [...data, '--demo'], async (url) => {
    const shop: Shop = await fillShop(url)
    return await readAnswers(shop)
  })
  const rowsBefore = countRows(dataDir)
  const check = JSON.parse(run([...now, 'upgrade', '--check', '--json', ...data], root)) as { ok: boolean }
  const begun = performance.now()
  const { after, startMs } = await serve(now, data, async (url) => {
    const ready = performance.now() - begun
    return { after: await readAnswers(await signIn(url)), startMs: Math.round(ready) }
  })
  const differences = [...compare(before, after), ...rowsBefore.missing(countRows(dataDir))]
  const doctor = JSON.parse(run([...now, 'doctor', '--json', ...data], root)) as { ok: boolean }
  const result = {
    from: values.binary ?? run(['git', 'rev-parse', '--short', commit as string], root).trim(),
    to: run(['git', 'rev-parse', '--short', 'HEAD'], root).trim(),
    customers: Number(values.customers),
    events: rowsBefore.counts['events'],
    tables: Object.keys(rowsBefore.counts).length,
    compared: Object.keys(before).length,
    check: check.ok,
    startMs,
    doctor: doctor.ok,
    differences: differences.slice(0, 50),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exitCode = check.ok && differences.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
