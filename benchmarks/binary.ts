// The single binary as a brand starts it: time from the start of its process to the first answer, with 25 plugins that
// somebody else wrote installed and enabled, and what it holds in memory once it has come to rest. The reference is a
// server on the same Node that does nothing but answer.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { numberArgument } from './harness/arguments.ts'
import { scratchFolder } from './harness/fixtures.ts'
import { benchSecret } from './harness/huitou.ts'
import { installPlugins } from './harness/many-plugins.ts'
import { median, printResult } from './harness/result.ts'

const plugins = numberArgument('plugins', 25)
const rounds = numberArgument('rounds', 9)
const restSeconds = numberArgument('rest', 15)
const pollMs = 3

using scratch = scratchFolder()
const data = path.join(scratch.path, 'data')
const binary = buildBinary(scratch.path)
await installPlugins(data, plugins)

// The first start lays the files out and compiles them; every later one finds them there.
const veryFirst = await timeToAnswer(serveHuitou)
const took = { huitou: [] as number[], bare: [] as number[] }
for (let round = 0; round < rounds; round++) {
  took.huitou.push(await timeToAnswer(serveHuitou))
  took.bare.push(await timeToAnswer(serveBare))
}
printResult({
  bench: 'binary',
  metric: `start to first answer, ${plugins} plugins installed`,
  value: median(took.huitou),
  unit: 'ms',
  reference: median(took.bare),
  budget: '< 1000 ms',
  engine: 'sqlite',
  best: Math.round(Math.min(...took.huitou)),
  veryFirst: Math.round(veryFirst),
})
let residentKib = 0
await timeToAnswer(serveHuitou, async ({ pid }) => {
  await sleep(restSeconds * 1_000)
  residentKib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
})
printResult({
  bench: 'binary',
  metric: `resident after ${restSeconds} s at rest, ${plugins} plugins installed`,
  value: residentKib / 1_024,
  unit: 'MiB',
  budget: '< 250 MiB',
  engine: 'sqlite',
})

function buildBinary(folder: string): string {
  const script = path.join(import.meta.dirname, '../scripts/binary/build.ts')
  const { status } = spawnSync(process.execPath, [script, '--out', folder], {
    stdio: ['ignore', 'ignore', 2],
  })
  if (status !== 0) throw new Error('The binary could not be built')
  return path.join(folder, process.platform === 'win32' ? 'huitou.exe' : 'huitou')
}

function serveHuitou(port: number): ChildProcess {
  return spawn(binary, ['serve', '--data', data, '--port', String(port)], {
    env: { ...process.env, HUITOU_SECRET: benchSecret, HUITOU_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function serveBare(port: number): ChildProcess {
  const code = `require('node:http').createServer((_, answer) => answer.end('ok')).listen(${port}, '127.0.0.1')`
  return spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
}

/** From before the process is started until it has answered; then it is stopped. */
async function timeToAnswer(
  serve: (port: number) => ChildProcess,
  use: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<number> {
  const port = await freePort()
  const started = performance.now()
  const child = serve(port)
  const ended = once(child, 'exit')
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}`)
      await sleep(pollMs)
    }
    const took = performance.now() - started
    await use(child)
    return took
  } finally {
    child.kill()
    await ended
  }
}

async function answers(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
