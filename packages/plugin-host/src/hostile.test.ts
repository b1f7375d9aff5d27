import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { createPluginFolder } from '../test/fixture-plugins.ts'
import type { Budget } from './budget.ts'
import { createPluginHost } from './host.ts'
import type { HostEvent, PluginHostOptions } from './host-options.ts'
import type { PluginHost } from './host.ts'
import type { PluginLocation } from './plugin-record.ts'
import { findProcessUsage } from './process-usage.ts'

const brand = { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' }

/** Runs plugins as those of strangers, each in a process of its own. */
async function createHost(
  dirs: (string | PluginLocation)[],
  options: Partial<PluginHostOptions> = {},
): Promise<PluginHost> {
  const plugins = dirs.map((dir) => (typeof dir === 'string' ? { dir, trusted: false, enabled: true } : dir))
  return await createPluginHost({ plugins, brand, effects: () => undefined, ...options })
}

const scorer = (code: string) =>
  `huitou.scorers.register('score', { async score(batch, context) { ${code} } })`
const score = (host: PluginHost, name: string, argument: unknown = null, options = {}) =>
  host.call(`test.${name}`, 'scorers', 'score', 'score', [argument], options)

/** Code that tries everything in `attempts` and answers what became of each: `refused`, or what it got. */
const attempt = (attempts: Record<string, string>) => `
  const builtin = (name) => process.getBuiltinModule(name)
  const failing = (emitter, good) => new Promise((resolve, reject) => {
    emitter.on('error', reject)
    if (good) emitter.on(good, () => resolve(good))
  })
  const answers = {}
  const attempts = { ${Object.entries(attempts)
    .map(([name, code]) => `${JSON.stringify(name)}: async () => { ${code} }`)
    .join(',\n')} }
  for (const [name, go] of Object.entries(attempts)) {
    try { answers[name] = 'got ' + String(await go()) } catch (error) { answers[name] = 'refused' }
  }
  return answers`

test('files, network, processes, threads, addons, the engine and other processes are out of reach', async () => {
  await using folder = await createPluginFolder()
  await using secret = await open(path.join(folder.path, 'secret.txt'), 'w+')
  await secret.write('hush')
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  process.env['HUITOU_TEST_SECRET'] = 'hush'
  const attempts = {
    'read a file': `return builtin('fs').readFileSync(${JSON.stringify(path.join(folder.path, 'secret.txt'))})`,
    'read through /proc': `return builtin('fs').readFileSync('/proc/' + process.ppid + '/environ')`,
    'tell whether there is a file': `return builtin('fs').realpathSync(${JSON.stringify(path.join(folder.path, 'secret.txt'))})`,
    'connect to a socket of the system': `return failing(builtin('net').connect('/run/nothing.sock'), 'connect')`,
    'make a handle past the network': `const handle = builtin('net')._createServerHandle('127.0.0.1', 0, 4); if (typeof handle === 'number') throw new Error('no'); return handle`,
    'trace into a file': `const tracing = builtin('trace_events').createTracing({ categories: ['node'] }); tracing.enable(); return tracing.enabled`,
    'read past its folder by bytes': `return builtin('fs').readFileSync(Buffer.from(process.cwd() + '/../secret.txt'))`,
    'read a neighbour of nearly the same name': `return builtin('fs').readFileSync(${JSON.stringify(path.join(folder.path, 'nosy-neighbour/index.mjs'))})`,
    'list the folder above': `return builtin('fs').readdirSync('..')`,
    'write into its own folder': `return builtin('fs').writeFileSync(new URL('x', import.meta.url), 'x')`,
    'write elsewhere': `return builtin('fs').promises.writeFile('/tmp/huitou-hostile', 'x')`,
    'import a file': `return import(${JSON.stringify(path.join(folder.path, 'secret.mjs'))})`,
    connect: `return failing(builtin('net').connect(${port}, '127.0.0.1'), 'connect')`,
    listen: `return failing(builtin('net').createServer().listen(0), 'listening')`,
    'send a datagram': `const socket = builtin('dgram').createSocket('udp4'); const done = failing(socket); socket.send('x', ${port}, '127.0.0.1', () => {}); return done`,
    fetch: `return fetch('http://127.0.0.1:${port}')`,
    'connect by TLS': `return failing(builtin('tls').connect(${port}, '127.0.0.1'), 'secureConnect')`,
    'connect by HTTP/2': `return failing(builtin('http2').connect('http://127.0.0.1:${port}'), 'connect')`,
    'look a name up': `return builtin('dns').promises.lookup('localhost')`,
    'ask a name server': `return new (builtin('dns').promises.Resolver)({ timeout: 200, tries: 1 }).resolve4('example.com')`,
    'open a web socket': `await new Promise((resolve, reject) => { const socket = new WebSocket('ws://127.0.0.1:${port}'); socket.onopen = resolve; socket.onerror = () => reject(new Error('no')) })`,
    'run a command': `return builtin('child_process').execFileSync('id')`,
    'become another program': `return process.execve('/bin/true', ['true'], {})`,
    'fork a cluster': `return builtin('cluster').fork()`,
    'start a thread': `return new (builtin('worker_threads').Worker)('1', { eval: true })`,
    'load an addon': `return process.dlopen({ exports: {} }, '/tmp/a.node')`,
    'use a binding': `return process.binding('fs')`,
    'use a linked binding': `return process._linkedBinding('fs')`,
    'open SQLite': `return import('node:sqlite')`,
    'call C': `return import('node:ffi')`,
    'run WASI': `return new (builtin('wasi').WASI)({ version: 'preview1' })`,
    'inspect itself': `return new (builtin('inspector').Session)().connect()`,
    'open the inspector': `return builtin('inspector').open(0)`,
    'ask whether the server lives': `return process.kill(process.ppid, 0)`,
    'signal the server': `return process.kill(process.ppid, 'SIGTERM')`,
    'signal everybody': `return process._kill(-1, 15)`,
    'debug the server': `return process._debugProcess(process.ppid)`,
    'slow the server down': `return builtin('os').setPriority(process.ppid, 19)`,
    'slow it down by import': `const { setPriority } = await import('node:os'); return setPriority(process.ppid, 19)`,
    'know the account': `return builtin('os').userInfo().username`,
    'change the engine': `return builtin('v8').setFlagsFromString('--max-old-space-size=9000')`,
    'dump the heap': `return builtin('v8').writeHeapSnapshot('/tmp/huitou-hostile.heapsnapshot')`,
    'change folder': `return process.chdir('/')`,
    'become somebody else': `return process.setuid(1)`,
    'undo the lock': `delete process.kill; Object.defineProperty(process, 'kill', { value: 1 }); return 'undone'`,
    'load by another loader': `return builtin('module').createRequire('/tmp/')('/etc/hostname')`,
    'hook from a thread': `return builtin('module').register('data:text/javascript,')`,
  }
  const dir = await folder.write('nosy', scorer(attempt(attempts)))
  await folder.write('nosy-neighbour', '')
  await using host = await createHost([dir])
  const answers = (await score(host, 'nosy')) as Record<string, string>
  server.close()
  delete process.env['HUITOU_TEST_SECRET']
  expect(Object.entries(answers).filter(([, answer]) => answer !== 'refused')).toEqual([])
  expect(Object.keys(answers)).toHaveLength(Object.keys(attempts).length)
})

test('a plugin sees no environment, no flags, no descriptors of the server, and cannot reach its process group', async () => {
  await using folder = await createPluginFolder()
  process.env['HUITOU_TEST_SECRET'] = 'hush'
  await using file = await open(path.join(folder.path, 'secret.txt'), 'w')
  const server = createServer().listen(0)
  await once(server, 'listening')
  const dir = await folder.write(
    'looks',
    scorer(`
      const { definePlugin } = await import('@huitou/plugin-api')
      const fs = process.getBuiltinModule('fs')
      const open = []
      for (let fd = 0; fd < 256; fd++) {
        try {
          const stat = fs.fstatSync(fd)
          if (stat.isFile() || stat.isDirectory() || stat.isSocket()) open.push(fd)
        } catch {}
      }
      const { ChildProcess } = process.getBuiltinModule('child_process')
      let signalled
      try { signalled = new ChildProcess()._handle.kill(0) } catch { signalled = -1 }
      return {
        env: { ...process.env },
        flags: [process.execArgv, process.argv.length, process.env.NODE_OPTIONS],
        // Three standard streams, the channel and two files in memory for large messages.
        open: open.filter((fd) => fd > 5),
        paths: [4, 5].filter((fd) => open.includes(fd)).map((fd) => fs.fstatSync(fd).nlink),
        report: process.report,
        signalled,
        hostname: process.getBuiltinModule('os').hostname(),
        send: typeof process.send,
        api: typeof definePlugin,
      }`),
  )
  await using host = await createHost([dir])
  expect(await score(host, 'looks')).toEqual({
    env: {},
    flags: [[], 1, undefined],
    open: [],
    paths: expect.toSatisfy((links: number[]) => links.every((count) => count === 0)) as number[],
    report: undefined,
    signalled: expect.toSatisfy((result: number) => result !== 0) as number,
    hostname: 'plugin',
    send: 'undefined',
    api: 'function',
  })
  server.close()
  await file.close()
  delete process.env['HUITOU_TEST_SECRET']
})

test.skipIf(process.platform !== 'linux')(
  'a plugin that loops does not outlive a server that was killed',
  async () => {
    await using folder = await createPluginFolder()
    const dir = await folder.write('survivor', scorer('huitou.log.info("looping"); for (;;) {}'))
    const code = `
    import { createPluginHost } from ${JSON.stringify(new URL('./host.ts', import.meta.url).href)}
    const host = await createPluginHost({
      plugins: [{ dir: ${JSON.stringify(dir)}, trusted: false, enabled: true }],
      brand: ${JSON.stringify(brand)},
      effects: () => console.log(host.getPlugin('test.survivor').running.pid),
    })
    await host.call('test.survivor', 'scorers', 'score', 'score', [null])`
    const server = spawn(process.execPath, ['--input-type=module', '-e', code])
    const [output] = (await once(server.stdout, 'data')) as [Buffer]
    const pid = Number(output.toString())
    expect(findProcessUsage(pid)).toBeDefined()
    server.kill('SIGKILL')
    await once(server, 'exit')
    await expect.poll(() => findProcessUsage(pid)?.memoryBytes ?? 0, { timeout: 10_000 }).toBe(0)
  },
)

test('a link out of the folder keeps a plugin from starting', async () => {
  await using folder = await createPluginFolder()
  await writeFile(path.join(folder.path, 'secret.txt'), 'hush')
  const dir = await folder.write('linked', scorer('return 1'))
  await symlink('../secret.txt', path.join(dir, 'data.txt'))
  await using host = await createHost([dir])
  await expect(score(host, 'linked')).rejects.toMatchObject({
    code: 'E_PLUGIN_FOLDER',
    message: expect.stringContaining('data.txt') as string,
  })
  expect(host.getPlugin('test.linked')).toMatchObject({ state: 'failed', error: { code: 'E_PLUGIN_FOLDER' } })
})

/** Code that writes a message to the channel past the API, with a header of its own. */
const raw = `
  const { Serializer } = process.getBuiltinModule('v8')
  const fs = process.getBuiltinModule('fs')
  const bytesOf = (message) => {
    const writer = new Serializer()
    writer.writeHeader()
    writer.writeValue(message)
    return writer.releaseBuffer()
  }
  const write = (bytes, { structure = bytes.length, count = 0, answerTo = 0 } = {}) => {
    const header = Buffer.alloc(16)
    header.writeUInt32LE(structure, 0)
    header.writeUInt32LE(count, 4)
    header.writeUInt32LE(answerTo, 8)
    fs.writeSync(3, Buffer.concat([header, bytes]))
  }
  const wait = () => new Promise(() => {})
`

test('bytes that are no message end the plugin that wrote them, and the third time it stays off', async () => {
  await using folder = await createPluginFolder()
  let now = 0
  const forger = await folder.write(
    'forger',
    scorer(`${raw}
      if (batch === 'garbage') { fs.writeSync(3, Buffer.from('GET / HTTP/1.1 and so on and on')); return wait() }
      if (batch === 'undecodable') { write(Buffer.from([255, 15, 92, 92, 92])); return wait() }
      if (batch === 'huge') { write(Buffer.alloc(0), { structure: 0xffffffff }); return wait() }
      return 1`),
  )
  const calm = await folder.write('calm', scorer('return batch'))
  await using host = await createHost([forger, calm], { clock: { now: () => now } })
  for (const [index, how] of ['garbage', 'undecodable', 'huge'].entries()) {
    now = index * 10_000
    await expect(score(host, 'forger', how)).rejects.toMatchObject({ code: 'E_PLUGIN_CRASHED' })
    expect(await score(host, 'calm', how)).toBe(how)
  }
  expect(host.getPlugin('test.forger')).toMatchObject({
    state: 'quarantined',
    running: { crashes: 3, restarts: 2 },
  })
  expect(host.log('test.forger').filter(({ level }) => level === 'error')).toHaveLength(3)
  expect(host.getPlugin('test.calm').running).toMatchObject({ crashes: 0, errors: 0 })
})

test('a plugin cannot speak for another, command the server, or answer what it was not asked', async () => {
  await using folder = await createPluginFolder()
  const asked: unknown[] = []
  const thief = await folder.write(
    'thief',
    scorer(`${raw}
      const answers = []
      const ask = (id, method, args) => write(bytesOf({ type: 'request', id, method, args }))
      ask(900, 'effect', ['test.victim', 'customers.read', [{ columns: ['victim_secret'] }]])
      ask(901, 'effect', ['customers.read', [{ columns: ['victim_secret'] }]])
      ask(902, 'activate', [{ pluginId: 'test.victim', entry: 'file:///etc/passwd' }])
      ask(903, 'effect', ['__proto__', [{}]])
      ask(904, 'effect', ['constructor', [{}]])
      ask(905, 'effect', [{ toString: 1 }, null])
      ask(906, '__proto__', [])
      for (let id = 1; id < 50; id++) write(bytesOf({ type: 'answer', id: id + 1000, value: 'forged' }), { answerTo: id + 1000 })
      write(bytesOf({ type: 'cancel', id: 3 }))
      await huitou.customers.read({ columns: ['thief_own'] })
      return 'honest'`),
  )
  const victim = await folder.write('victim', scorer('return batch'))
  await using host = await createHost([thief, victim], {
    effects(pluginId, method, args) {
      asked.push([pluginId, method, args])
    },
  })
  expect(await score(host, 'victim', 'mine')).toBe('mine')
  expect(await score(host, 'thief')).toBe('honest')
  expect(asked).toEqual([['test.thief', 'customers.read', [{ columns: ['thief_own'] }]]])
  expect(host.list().map(({ state }) => state)).toEqual(['active', 'active'])
})

test('an answer that plays with prototypes, unfolds without end or is no plain data fails that call alone', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write(
    'tricky',
    scorer(`
      switch (batch) {
        case 'prototype': return { rows: [JSON.parse('{"__proto__": {"admin": true}}')] }
        case 'repeats': { let list = ['ha']; for (let level = 0; level < 40; level++) list = [list, list, list, list]; return list }
        case 'circle': { const circle = {}; circle.self = circle; return circle }
        case 'sparse': { const list = []; list[4294967294] = 1; return list }
        case 'expression': return /x/
        case 'huge': return 'x'.repeat(20_000_000)
        case 'function': return { then: undefined, run() {} }
        case 'error': throw Object.assign(new Error('x'.repeat(1e6)), { code: 'E_' + 'X'.repeat(1e5), kind: 'user', status: 200, hint: { evil: 1 }, details: { __proto__: null, a: 'x'.repeat(1e6) } })
        case 'accessor': return { get secret() { return 'evaluated here' } }
      }
      return { ok: true, date: new Date(0), map: new Map([['a', 1]]), list: new Float64Array([1]) }`),
  )
  await using host = await createHost([dir])
  for (const trick of ['prototype', 'repeats', 'circle', 'sparse', 'expression']) {
    await expect(score(host, 'tricky', trick)).rejects.toMatchObject({ code: 'E_PLUGIN_MESSAGE' })
  }
  await expect(score(host, 'tricky', 'huge')).rejects.toMatchObject({ code: 'E_MESSAGE_TOO_LARGE' })
  await expect(score(host, 'tricky', 'function')).rejects.toThrow('could not be cloned')
  const error = (await score(host, 'tricky', 'error').catch((reason: unknown) => reason)) as {
    code: string
    message: string
    status: number
    details?: object
  }
  expect(error).toMatchObject({ code: 'E_PLUGIN', status: 500, hint: undefined, details: undefined })
  expect(error.message.length).toBeLessThan(5_000)
  expect(await score(host, 'tricky', 'accessor')).toEqual({ secret: 'evaluated here' })
  expect(await score(host, 'tricky')).toEqual({
    ok: true,
    date: new Date(0),
    map: new Map([['a', 1]]),
    list: new Float64Array([1]),
  })
  expect(({} as { admin?: boolean }).admin).toBeUndefined()
  expect(host.getPlugin('test.tricky')).toMatchObject({ state: 'active', running: { crashes: 0, errors: 8 } })
})

interface Attack {
  name: string
  body: string
  source?: string
  /** What the plugin is shown with. */
  reason: string
  budget?: Partial<Budget>
  /** It does its harm between calls. */
  later?: boolean
}

const allAttacks: Attack[] = [
  { name: 'loops', body: scorer('for (;;) {}'), reason: 'gave no sign of life' },
  {
    name: 'loops-later',
    body: scorer('setImmediate(() => { for (;;) {} }); return 1'),
    reason: 'gave no sign of life',
    budget: { hangMs: 400 },
    later: true,
  },
  {
    name: 'heap-bomb',
    body: scorer('const all = []; for (;;) all.push({ a: [all.length], b: { c: "x" + all.length } })'),
    reason: 'more than the 48 MiB of heap',
    budget: { heapMb: 48, memoryMb: 4_096 },
  },
  {
    name: 'buffer-bomb',
    body: scorer(
      'const all = []; for (let n = 0; n < 400; n++) { all.push(Buffer.alloc(4_000_000, 1)); await new Promise((go) => setTimeout(go, 5)) } return all.length',
    ),
    reason: 'of memory; 300 are allowed',
    budget: { memoryMb: 300 },
  },
  {
    name: 'file-bomb',
    body: scorer(
      'const bytes = Buffer.alloc(8_000_000, 1); for (let n = 0; n < 200; n++) { process.getBuiltinModule("fs").writeSync(5, bytes); await new Promise((go) => setTimeout(go, 5)) } throw new Error("nobody minded")',
    ),
    reason: 'of memory; 400 are allowed',
    budget: { memoryMb: 400 },
  },
  { name: 'exits', body: scorer('process.exit(0)'), reason: 'exit code 0' },
  { name: 'aborts', body: scorer('process.abort()'), reason: 'signal SIGABRT' },
  {
    name: 'throws-late',
    body: scorer('setTimeout(() => { throw new Error("stray") }); await new Promise(() => {})'),
    reason: 'stray',
  },
  { name: 'dies-at-load', body: '', source: 'process.exit(3)', reason: 'exit code 3' },
  {
    name: 'floods',
    body: scorer(
      'for (;;) { for (let n = 0; n < 500; n++) huitou.log.info("flood"); await new Promise((go) => setImmediate(go)) }',
    ),
    reason: 'messages or 4 MiB a second',
    budget: { messagesPerSecond: 200, memoryMb: 2_048, heapMb: 1_024 },
  },
  {
    name: 'closes-channel',
    body: scorer('process.getBuiltinModule("fs").closeSync(3); await new Promise(() => {})'),
    reason: 'closed its channel',
  },
]

/** Where there are no files in memory, there is none to fill. */
const attacks = allAttacks.filter(({ name }) => name !== 'file-bomb' || existsSync('/dev/shm'))

test(
  'whatever plugins do at the same time, each is ended with its reason and nobody else waits for it',
  { timeout: 90_000 },
  async () => {
    await using folder = await createPluginFolder()
    const locations = await Promise.all(
      attacks.map(async ({ name, body, source, budget }) => ({
        dir: await folder.write(name, body, source === undefined ? {} : { source }),
        trusted: false,
        enabled: true,
        budget: { hangMs: 1_000, ...budget },
      })),
    )
    const calm = {
      dir: await folder.write('calm', scorer('return batch + 1')),
      trusted: false,
      enabled: true,
    }
    const crashed = new Map<string, string>()
    const { promise: allCrashed, resolve } = Promise.withResolvers<void>()
    const onEvent = (event: HostEvent) => {
      if (event.type !== 'crash') return
      crashed.set(event.pluginId.slice('test.'.length), event.error.message)
      if (crashed.size === attacks.length) resolve()
    }
    await using host = await createHost([...locations, calm], { onEvent, clock: { now: () => 0 } })
    await score(host, 'calm', 0)
    const delay = monitorEventLoopDelay({ resolution: 10 })
    delay.enable()
    let attacking = true
    const harm = attacks.map(async ({ name, later }) => {
      const call = score(host, name, null, { deadlineMs: name === 'loops' ? 1_500 : 20_000 })
      if (later) await call
      else await call.catch(() => {})
    })
    const served = (async () => {
      let count = 0
      for (; attacking; count++)
        expect(await score(host, 'calm', count, { deadlineMs: 10_000 })).toBe(count + 1)
      return count
    })()
    try {
      await Promise.all([...harm, allCrashed])
    } finally {
      attacking = false
    }
    expect(await served).toBeGreaterThan(10)
    delay.disable()
    expect(delay.percentile(99) / 1e6).toBeLessThan(1_000)
    for (const { name, reason } of attacks)
      expect([name, crashed.get(name)]).toEqual([name, expect.stringContaining(reason)])
    expect(host.getPlugin('test.calm')).toMatchObject({ state: 'active', running: { crashes: 0, errors: 0 } })
    for (const { name } of attacks) {
      expect(host.getPlugin(`test.${name}`)).toMatchObject({ state: 'enabled', running: { crashes: 1 } })
      expect(
        host.log(`test.${name}`).some(({ source, level }) => source === 'host' && level === 'error'),
      ).toBe(true)
    }
  },
)

test('a trusted plugin that blocks its thread between calls is ended as well', async () => {
  await using folder = await createPluginFolder()
  const code = 'setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)); return 1'
  const dir = await folder.write('blocks', scorer(code))
  const { promise: crash, resolve } = Promise.withResolvers<HostEvent>()
  await using host = await createHost([{ dir, trusted: true, enabled: true }], {
    budgets: { worker: { hangMs: 200 } },
    onEvent: (event) => event.type === 'crash' && resolve(event),
  })
  expect(await score(host, 'blocks')).toBe(1)
  expect(await crash).toMatchObject({
    error: { message: expect.stringContaining('gave no sign of life') as string },
  })
})

test('what it prints goes to its log, in a bounded number of lines, and never to the server', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write(
    'chatty',
    scorer(`
      console.log('hello'); console.error('oh'); process.stdout.write('no line end')
      for (let n = 0; n < 20_000; n++) console.log('line ' + n + ' '.repeat(200))
      return 1`),
  )
  await using host = await createHost([dir])
  expect(await score(host, 'chatty')).toBe(1)
  const lines = host.log('test.chatty').filter(({ source }) => source === 'output')
  expect(lines.length).toBeGreaterThan(2)
  expect(lines.length).toBeLessThanOrEqual(200)
  expect(lines.every(({ message }) => message.length <= 2_001)).toBe(true)
})

test('a folder that holds another plugin or version than was decided about is refused, and so is a taken id', async () => {
  await using folder = await createPluginFolder()
  const one = await folder.write('one', scorer('return 1'))
  const squatter = await folder.write('one', scorer('return 2'), { folder: 'squatter' })
  await using host = await createHost([{ dir: one, trusted: false, enabled: true, id: 'test.other' }])
  expect(host.rejected).toMatchObject([{ error: { code: 'E_MANIFEST_MISMATCH' } }])
  await expect(host.add({ dir: one, trusted: false, version: '2.0.0' })).rejects.toMatchObject({
    code: 'E_MANIFEST_MISMATCH',
  })
  await host.add({ dir: one, trusted: false, enabled: true, id: 'test.one', version: '1.0.0' })
  await expect(host.add({ dir: squatter, trusted: false, enabled: true })).rejects.toMatchObject({
    code: 'E_DUPLICATE_PLUGIN',
  })
  expect(await score(host, 'one')).toBe(1)
})

test('an upgrade that asks for more gets no more than was granted before', async () => {
  await using folder = await createPluginFolder()
  const code = scorer('return await huitou.customers.read({ columns: batch })')
  const old = await folder.write('grows', code, { permissions: { 'profile.read': ['city'] } })
  const greedy = await folder.write('grows', code, {
    folder: 'greedy',
    version: '2.0.0',
    permissions: { 'profile.read': ['*'] },
  })
  const grants = { 'profile.read': ['city'] }
  await using host = await createHost([{ dir: old, trusted: false, enabled: true, grants }], {
    effects: () => 'read',
  })
  await expect(score(host, 'grows', ['t_name'])).rejects.toMatchObject({ code: 'E_PERMISSION' })
  await host.replace('test.grows', { dir: greedy, trusted: false })
  expect(await score(host, 'grows', ['city'])).toBe('read')
  await expect(score(host, 'grows', ['t_name'])).rejects.toMatchObject({ code: 'E_PERMISSION' })
  host.setGrants('test.grows', { 'profile.read': ['*'] })
  expect(await score(host, 'grows', ['t_name'])).toBe('read')
})
