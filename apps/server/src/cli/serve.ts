import { sweepImports, ThisNode } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { scheduleBackups } from '../backup/schedule.ts'
import { loadDemo } from '../demo/demo-jobs.ts'
import { startServer } from '../http/start-server.ts'
import { noteVersion } from '../upgrade/last-version.ts'
import { version } from '../version.ts'
import { commonArgs, openForCommand, runCommand } from './open.ts'

export const serveCommand = defineCommand({
  meta: { name: 'serve', description: 'Serve Huitou until stopped' },
  args: {
    ...commonArgs,
    port: { type: 'string', default: '3000', description: 'port to listen on; 0 takes a free one' },
    host: { type: 'string', default: '127.0.0.1', description: 'address to listen on; 0.0.0.0 for all' },
    role: {
      type: 'string',
      valueHint: 'web|worker|all',
      description: 'what this server does on a database that several share; default HUITOU_ROLE or all',
    },
    demo: { type: 'boolean', default: false, description: 'load the demo shop when there is no data yet' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const port = portOf(args.port)
      // Whatever it fails at, the folder is free for the next try and the process ends.
      await using begun = new AsyncDisposableStack()
      const huitou = begun.use(await openForCommand(args, { quiet: false }))
      const node = begun.adopt(await joinNodes(huitou, args.role), (one) => one.leave())
      begun.defer(() => huitou.core.stop())
      const serving = {
        role: node.role,
        port,
        host: args.host,
        version,
        trustedProxies: huitou.config.trustedProxies,
        metricsToken: huitou.config.metricsToken,
      }
      const server = begun.adopt(await startServer(huitou, serving), (one) => one.close())
      await sweepImports(huitou.core)
      using _backups = scheduleBackups(huitou.core, huitou.config)
      await noteVersion(huitou.core)
      using _plugins = await huitou.followPlugins(node)
      huitou.core.start(node)
      if (args.demo && (await isEmpty(huitou.core))) await loadDemo(huitou.core)
      process.stdout.write(
        args.json
          ? `${JSON.stringify({ url: server.url })}\n`
          : `Huitou is ready: ${huitou.config.publicUrl ?? server.url}\n`,
      )
      await stopped()
      endAfter(STOP_MS)
      await begun.disposeAsync()
      // Plugins and readers run in threads; none of them has anything left to do.
      process.exit(0)
    })
  },
})

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw userError('E_LISTEN', `"${text}" is no port`, { hint: 'Give --port a number from 0 to 65535.' })
}

/** Makes this process one of the servers on its database. */
async function joinNodes(
  { core, config }: Awaited<ReturnType<typeof openForCommand>>,
  wanted: string | undefined,
): Promise<ThisNode> {
  const role = wanted ?? config.role ?? 'all'
  if (role !== 'web' && role !== 'worker' && role !== 'all') {
    throw userError('E_ROLE', `A server has no role "${role}"`, { hint: 'Choose web, worker or all.' })
  }
  if (role !== 'all' && core.database.engine === 'sqlite') {
    throw userError('E_ROLE_ALONE', `A server that is alone on its folder cannot be "${role}" only`, {
      hint: 'Leave --role and HUITOU_ROLE out, or set DATABASE_URL: on PostgreSQL several servers share the work.',
    })
  }
  const { dataDir, secret } = config
  return await ThisNode.join({ database: core.database, dataDir, role, version, secret, log: core.log })
}

export async function isEmpty({
  database,
}: Awaited<ReturnType<typeof openForCommand>>['core']): Promise<boolean> {
  return (await database.db.selectFrom('events').select('seq').limit(1).executeTakeFirst()) === undefined
}

/** Of what a service manager waits before it kills, this leaves enough to write down what was not done. */
const STOP_MS = 30_000

/** Whoever waits for a piece of work that does not end, or asks a second time, gets an end. Nothing acknowledged is lost. */
function endAfter(milliseconds: number): void {
  setTimeout(() => process.exit(1), milliseconds).unref()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
}

export function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
