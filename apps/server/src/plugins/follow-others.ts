import { type ThisNode } from '@huitou/core'
import { describeHere } from './converge.ts'
import type { PluginContext } from './plugin-context.ts'
import type { PluginManager } from './plugin-manager.ts'

/** What was told may have been lost; what is wished is read anew this often. */
const LOOK_MS = 10_000
/** Changes within this time are followed together. */
const GATHER_MS = 100

/**
 * Keeps this node at what is wished, and the others informed of what runs here. The first time it has looked when this
 * resolves.
 */
export async function followOthers(
  context: PluginContext,
  manager: PluginManager,
  node: ThisNode,
): Promise<Disposable> {
  const { core, host } = context
  const { notices } = core.database
  const warn = (error: unknown) => core.log.warn({ error: String(error) }, 'Plugins of other nodes')
  async function tell(): Promise<void> {
    const { plugins, missing } = await describeHere(context)
    await node.tellPlugins(plugins, missing)
  }
  const look = async () => {
    await manager.converge()
    await tell()
  }
  await look().catch(warn)
  // Alone on its folder there is nobody to follow.
  const following = gathered(core.database.engine === 'postgres' ? look : tell, warn)
  const telling = gathered(tell, warn)
  const stops = [
    notices.on('live', (topic) => {
      if (topic === 'plugins') following.soon()
    }),
    notices.on('missed', following.soon),
  ]
  const changes = host.onDidChangeContributions(() => telling.soon())
  const timer = setInterval(following.soon, LOOK_MS)
  timer.unref()
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      stops.forEach((stop) => stop())
      changes.dispose()
    },
  }
}

/** `work` once for many calls, never twice at a time. */
function gathered(work: () => Promise<void>, warn: (error: unknown) => void): { soon(): void } {
  let isDue = false
  let isAtIt = false
  async function run(): Promise<void> {
    isAtIt = true
    while (isDue) {
      isDue = false
      await work().catch(warn)
    }
    isAtIt = false
  }
  return {
    soon() {
      if (!isDue && !isAtIt) setTimeout(() => void run(), GATHER_MS).unref()
      isDue = true
    },
  }
}
