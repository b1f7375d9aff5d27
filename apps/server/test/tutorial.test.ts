import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestRegistry } from '@huitou/testing/verdaccio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAuthorRegistry } from './author-registry.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const home = mkdtempSync(path.join(tmpdir(), 'huitou-tutorial-'))
let registry: TestRegistry

interface Block {
  language: string
  /** `server`, `fails`, `file=…`, `reloaded`. */
  mark: string
  text: string
}

/** The fenced blocks of a page, in order. */
function blocksOf(page: string): Block[] {
  const source = readFileSync(path.join(root, page), 'utf8')
  return [...source.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, mark, text]) => ({
    language: language!,
    mark: mark ?? '',
    text: text!,
  }))
}

/** One shell for the whole page: folder and variables go on from block to block. */
class Shell {
  #folder = home
  #path = process.env['PATH'] ?? ''
  #server: ChildProcess | undefined
  output = ''

  get folder(): string {
    return this.#folder
  }

  async run(commands: string): Promise<number> {
    const script = `set -e\ncd ${JSON.stringify(this.#folder)}\n${commands}\npwd > "$HOME/.folder"; printf %s "$PATH" > "$HOME/.path"`
    // Not waiting in the call: the registry answers in this process.
    const child = spawn('bash', ['-c', script], { env: this.#env(), stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(child, 'close')
    this.output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    }
    const [status] = (await ended) as [number | null]
    if (status === 0) {
      this.#folder = readFileSync(path.join(home, '.folder'), 'utf8').trim()
      this.#path = readFileSync(path.join(home, '.path'), 'utf8')
    }
    return status ?? 1
  }

  /** Starts a command that goes on, on a port of its own, without two years of invented orders. */
  start(command: string): void {
    this.output = ''
    const server = spawn('bash', ['-c', `exec ${command.trim().replace('3111', '0')} --no-demo`], {
      cwd: this.#folder,
      env: this.#env(),
    })
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
        server.emit('said')
      })
    }
    // Who waits for words hears of the end as well.
    server.on('exit', () => server.emit('said'))
    this.#server = server
  }

  /** Resolves once the running command has said `text`. */
  async heard(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.#server?.exitCode != null) throw new Error(`It ended: ${this.output}`)
      await once(this.#server!, 'said')
    }
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server || server.exitCode !== null) return
    server.kill('SIGINT')
    await once(server, 'exit')
  }

  #env(): NodeJS.ProcessEnv {
    // Whoever runs the tests by npm hands its own settings on; a stranger's shell has none of them.
    const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))
    return {
      ...Object.fromEntries(own),
      HOME: home,
      PATH: this.#path,
      NODE_OPTIONS: '',
      npm_config_update_notifier: 'false',
      // A person is asked whether the scaffolder may be fetched, and says yes.
      npm_config_yes: 'true',
    }
  }
}

const shell = new Shell()
beforeAll(async () => {
  registry = await openAuthorRegistry(home)
  symlinkSync(root, path.join(home, 'huitou'))
  writeFileSync(path.join(home, '.npmrc'), `registry=${registry.url}\ncache=${path.join(home, 'cache')}\n`)
}, 180_000)
afterAll(async () => {
  await shell.stop()
  await registry[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, force: true })
})

/** What of a line has to be said: ports differ, and `…` stands for anything. */
function wantedOf(line: string): string {
  return line
    .split('…')[0]!
    .replace(/:\d{4}$/, ':')
    .trim()
}

test('the tutorial does what it says, command by command', { timeout: 600_000 }, async () => {
  let serving = false
  for (const { language, mark, text } of blocksOf('docs/guide/write-a-plugin.md')) {
    if (mark.startsWith('file=')) {
      writeFileSync(path.join(shell.folder, mark.slice('file='.length)), text)
    } else if (mark === 'server') {
      shell.start(text)
      serving = true
    } else if (language === 'sh') {
      await shell.stop()
      serving = false
      const status = await shell.run(text)
      expect(status === 0, `${text}\n${shell.output}`).toBe(mark !== 'fails')
    } else {
      for (const line of text.split('\n').filter(Boolean)) {
        if (serving) await shell.heard(wantedOf(line))
        expect(shell.output).toContain(wantedOf(line))
      }
    }
  }
})

test('the Chinese tutorial has the same commands and files', () => {
  expect(blocksOf('docs/zh-CN/guide/write-a-plugin.md')).toEqual(blocksOf('docs/guide/write-a-plugin.md'))
})
