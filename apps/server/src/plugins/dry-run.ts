import { type Core, createPoints, rehearseScores } from '@huitou/core'
import type { Permissions } from '@huitou/plugin-api'
import type { Candidate, LoadedManifest } from '@huitou/plugin-host'
import { addContributions, type Callee } from './connect-plugins.ts'

const CUSTOMERS = 100
const DEADLINE_MS = 30_000

/** Runs a candidate's scorers and segmenters on a few customers and forgets what comes out. Throws what they throw. */
export async function dryRun(
  core: Core,
  { id, columnPrefix, manifest }: Pick<LoadedManifest, 'id' | 'columnPrefix' | 'manifest'>,
  { candidate, grants }: { candidate: Candidate; grants: Permissions },
): Promise<void> {
  const host: Callee = {
    getPlugin: () => ({ grants }),
    call: (...[_plugin, point, contribution, method, args, options]: Parameters<Callee['call']>) =>
      candidate.call({ point, id: contribution, method }, args, options),
  }
  const points = createPoints()
  const plugin = {
    pluginId: id,
    displayName: manifest.displayName,
    columnPrefix,
    contributes: manifest.contributes ?? {},
  }
  for (const _undo of addContributions({ points }, host, plugin)) continue
  const { problems } = await rehearseScores(core, points, {
    owner: id,
    signal: AbortSignal.timeout(DEADLINE_MS),
    limit: CUSTOMERS,
  })
  if (problems[0]) throw problems[0].error
}
