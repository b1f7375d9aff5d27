import { type AvailablePlugins, findSetting, listWished, type PluginView, writeSetting } from '@huitou/core'
import type { Permissions, ResolvedManifest } from '@huitou/plugin-api'
import semver from 'semver'
import { difference, toEntries } from './consent.ts'
import type { PluginContext } from './plugin-context.ts'
import { findNewest } from './sources.ts'
import { toPluginError } from './wished-set.ts'

const SETTING = 'plugins.updates'
const KIND = 'plugins.updates'
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** Newest versions as they were when somebody last looked, by plugin. */
interface Looked {
  at: number
  newest: Record<string, { version: string; permissions: Permissions }>
}

/** Asks the registries that plugins came from for newer versions, and remembers what they say. */
export async function lookForUpdates(context: PluginContext) {
  const { core, live } = context
  const newest: Looked['newest'] = {}
  const problems: AvailablePlugins['problems'] = []
  const wished = await listWished(core.database.db)
  await Promise.all(
    wished.map(async ({ id, source, state }) => {
      if (source.kind !== 'registry' || state !== 'installed') return
      try {
        newest[id] = await findNewest(context, source)
      } catch (error) {
        const { code, message } = toPluginError(error)
        problems.push({ registry: source.registry, code, message })
      }
    }),
  )
  await writeSetting(core.database.db, SETTING, { at: core.clock.now(), newest } satisfies Looked)
  live.announce('plugins')
  const updates = wished.filter(({ id, version }) => isNewer(newest[id]?.version, version)).length
  return { checked: Object.keys(newest).length, updates, problems }
}

/** The update that is known of a plugin. */
export async function findUpdate(
  { core }: PluginContext,
  id: string,
  manifest: ResolvedManifest,
): Promise<PluginView['update']> {
  const newest = (await findLooked(core))?.newest[id]
  if (!newest || !isNewer(newest.version, manifest.version)) return null
  const more = difference(newest.permissions, manifest.permissions ?? {})
  return { version: newest.version, newPermissions: toEntries(more, newest.version) }
}

/** Looks once a day, on one of the nodes; never when nothing was installed from a registry. */
export function defineUpdateJob(context: PluginContext): Disposable {
  const { core } = context
  core.jobs.define(KIND, async () => {
    const { checked, updates } = await lookForUpdates(context)
    return { checked, updates }
  })
  const run = async () => {
    if (((await findLooked(core))?.at ?? 0) > core.clock.now() - DAY_MS) return
    const wished = await listWished(core.database.db)
    if (!wished.some(({ source, state }) => source.kind === 'registry' && state === 'installed')) return
    const title = JSON.stringify({ en: 'Look for newer extensions', 'zh-CN': '检查扩展更新' })
    await core.jobs.enqueue({ kind: KIND, key: KIND, title })
  }
  const stop = core.schedules.define({ name: KIND, every: HOUR_MS, run })
  return { [Symbol.dispose]: stop }
}

async function findLooked({ database }: PluginContext['core']): Promise<Looked | undefined> {
  return (await findSetting(database.db, SETTING)) as Looked | undefined
}

function isNewer(version: string | undefined, than: string | null): boolean {
  return version !== undefined && than !== null && semver.valid(than) !== null && semver.gt(version, than)
}
