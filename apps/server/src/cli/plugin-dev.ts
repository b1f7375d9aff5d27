import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { AppError } from '@huitou/plugin-api'
import { type PluginHost, readManifest, watchFolder } from '@huitou/plugin-host'
import { defineCommand } from 'citty'
import pino from 'pino'
import { readConfig } from '../config.ts'
import { loadDemo } from '../demo/demo-jobs.ts'
import { startServer } from '../http/start-server.ts'
import { openHuitou } from '../open-huitou.ts'
import { version } from '../version.ts'
import { runCommand } from './open.ts'
import { isEmpty, stopped } from './serve.ts'

export const pluginDevCommand = defineCommand({
  meta: {
    name: 'dev',
    description: 'Run a plugin in a demo shop of its own and reload it when its files change',
  },
  args: {
    dir: { type: 'positional', required: false, default: '.', description: 'folder of the plugin' },
    data: { type: 'string', valueHint: 'DIR', description: 'data folder; .huitou in the plugin when absent' },
    port: { type: 'string', default: '3000', description: 'port to listen on; 0 takes a free one' },
    demo: { type: 'boolean', default: true, description: 'load the demo shop when there is no data yet' },
    with: { type: 'string', valueHint: 'DIR[,DIR]', description: 'further plugins to run' },
    record: {
      type: 'string',
      valueHint: 'FILE',
      description: 'write what the plugin is asked and asks to this file',
    },
    json: { type: 'boolean', default: false, description: 'print one JSON document a line instead of text' },
  },
  async run({ args }) {
    await runCommand(args, () => develop(args))
  },
})

interface DevArgs {
  dir: string
  data?: string
  port: string
  demo: boolean
  with?: string
  record?: string
  json: boolean
}

async function develop(args: DevArgs): Promise<void> {
  const dir = path.resolve(args.dir)
  const { id } = await readManifest(dir)
  const config = readConfig(args.data ?? path.join(dir, '.huitou'))
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
  const recorder = args.record ? await openRecorder(id, args.record) : undefined
  const others = (args.with ?? '').split(',').filter(Boolean)
  const huitou = await openHuitou({
    config,
    log,
    plugins: [dir, ...others].map((folder) => path.resolve(folder)),
    ...(recorder ? { wrapEffects: recorder.effects } : {}),
  })
  const say = (text: string, facts: object) =>
    void process.stdout.write(args.json ? `${JSON.stringify(facts)}\n` : `${text}\n`)
  const take = () => takeFolder(huitou.host, id, dir)
  // As a stranger from the first call on: with the permissions that it asks for, in a process of its own if it can.
  await take()
  recorder?.attach(huitou.host)
  const server = await startServer(huitou, { port: Number(args.port), host: '127.0.0.1', version })
  huitou.core.start()
  if (args.demo && (await isEmpty(huitou.core))) await loadDemo(huitou.core)
  const watch = watchFolder(dir, () => {
    take().then(
      (took) => say(`Reloaded ${id} in ${took} ms`, { event: 'reloaded', id, took }),
      (error: unknown) => {
        const { message, hint } = error as AppError
        say(`Not reloaded: ${message}${hint ? `\n  ${hint}` : ''}`, { event: 'refused', id, message, hint })
      },
    )
  })
  say(`Huitou is ready with ${id}: ${server.url}`, { event: 'ready', id, url: server.url })
  if (huitou.host.getPlugin(id).trusted) {
    const text = `${id} links to files outside its folder and runs in a thread of the server, not in a process of its own`
    say(text, { event: 'trusted', id })
  }
  await stopped()
  watch.dispose()
  await server.close()
  await huitou[Symbol.asyncDispose]()
  await recorder?.close()
  process.exit(0)
}

/** Puts what lies in the folder in the plugin's place. Returns how long that took, in milliseconds. */
async function takeFolder(host: PluginHost, id: string, dir: string): Promise<number> {
  const startedAt = performance.now()
  const { id: found, source } = await readManifest(dir)
  if (found !== id) {
    throw new AppError('user', 'E_MANIFEST', `The folder now holds "${found}" instead of "${id}"`, {
      hint: 'Start the command again to go on under another name.',
    })
  }
  const { settings } = host.getPlugin(id)
  const location = { dir, enabled: true, settings, grants: source.permissions ?? {} }
  try {
    await host.replace(id, { ...location, trusted: false })
  } catch (error) {
    // Links out of the folder, as workspaces have them, would open other folders to its process.
    if ((error as AppError).code !== 'E_PLUGIN_FOLDER') throw error
    await host.replace(id, { ...location, trusted: true })
  }
  return Math.round(performance.now() - startedAt)
}

async function openRecorder(id: string, file: string) {
  const { createRecorder } = await import('@huitou/testing/record')
  const stream = createWriteStream(file)
  const clock = { now: () => Date.now() }
  return {
    ...createRecorder(id, clock, (line) => void stream.write(`${line}\n`)),
    close: () => new Promise<void>((resolve) => void stream.end(resolve)),
  }
}
