import { checkTemplate, type CollectionDeclaration, type Core, type PointOwner } from '@huitou/core'
import type {
  ColumnBatch,
  Contributions,
  ErasedCustomer,
  ErasureAnswer,
  JsonValue,
  Permissions,
  ReportData,
  RunContext,
  Scorer,
  Source,
} from '@huitou/plugin-api'
import type { PluginContributions, PluginHost } from '@huitou/plugin-host'
import { addChannels } from './connect-channels.ts'
import { addSteps } from './connect-steps.ts'
import { addViewContributions } from './connect-views.ts'

type Undo = () => void

/** A scorer over a million customers takes seconds, a report over all of them as well. */
const SCORE_DEADLINE_MS = 300_000
const REPORT_DEADLINE_MS = 60_000
/** Another system may take its time to find somebody; it is asked again when that was not enough. */
const ERASE_DEADLINE_MS = 60_000

/**
 * Adds what enabled plugins declare to the core's points, and takes it out when they are disabled. Returns those
 * whose declarations cannot be used and that are disabled therefore, each with the reason.
 */
export async function connectPlugins(core: Core, host: PluginHost): Promise<Map<string, unknown>> {
  const undos = new Map<string, Undo[]>()
  const add = async (plugin: PluginContributions) => {
    // Tables before pages: what is declared must be there when the first record is asked for.
    await core.collections.apply(plugin.pluginId, collectionsOf(plugin))
    const done: Undo[] = []
    undos.set(plugin.pluginId, done)
    try {
      for (const undo of addContributions(core, host, plugin)) done.push(undo)
    } catch (error) {
      remove(plugin)
      throw error
    }
  }
  const remove = ({ pluginId }: PluginContributions) => {
    for (const undo of undos.get(pluginId)?.toReversed() ?? []) undo()
    undos.delete(pluginId)
  }
  const failed = new Map<string, unknown>()
  for (const plugin of host.contributions()) {
    await add(plugin).catch((error: unknown) => {
      // One plugin's trouble keeps no other, and not the server, from starting.
      const { pluginId } = plugin
      core.log.error({ plugin: pluginId, error: String(error) }, 'What a plugin contributes cannot be used')
      failed.set(pluginId, error)
    })
  }
  host.onDidChangeContributions(async ({ added, removed }) => {
    removed.forEach(remove)
    for (const plugin of added) await add(plugin)
    core.wake()
  })
  for (const pluginId of failed.keys()) await host.disable(pluginId).catch(() => {})
  return failed
}

function collectionsOf({ contributes }: PluginContributions): readonly CollectionDeclaration[] {
  return (contributes.collections ?? []) as unknown as readonly CollectionDeclaration[]
}

/** What carries out what a plugin declares. */
export interface Callee extends Pick<PluginHost, 'call'> {
  getPlugin(pluginId: string): { grants: Permissions }
}

/** Adds what one plugin declares to `points`, with `host` behind it. Yields what takes each of it out again. */
export function* addContributions(
  { points }: Pick<Core, 'points'>,
  host: Callee,
  { pluginId, displayName, columnPrefix, contributes }: PluginContributions,
): Generator<Undo> {
  const owner: PointOwner = {
    plugin: pluginId,
    title: displayName,
    prefix: columnPrefix,
    permissions: () => host.getPlugin(pluginId).grants,
    text: (text) => (typeof text === 'string' ? { en: text, 'zh-CN': text } : text),
  }
  // The host has put texts in both languages already; the points take them as they come.
  const declared = contributes as unknown as Contributions
  const idOf = (id: string) => `${columnPrefix}.${id}`
  yield* addViewContributions({ points }, host, { owner, declared })
  yield* addChannels({ points }, host, { owner, declared })
  yield* addSteps({ points }, host, { owner, declared })
  for (const eraser of declared.erasers ?? []) {
    yield points.erasers.add(owner, `${pluginId}/${eraser.id}`, {
      ...eraser,
      run: (customer: ErasedCustomer, context: RunContext) =>
        host.call(pluginId, 'erasers', eraser.id, 'erase', [customer, context], {
          deadlineMs: ERASE_DEADLINE_MS,
        }) as Promise<ErasureAnswer>,
    })
  }
  for (const value of declared.journeys ?? []) {
    const id = `${pluginId}/${value.id}`
    checkTemplate({ owner, id, value })
    yield points.journeys.add(owner, id, value)
  }
  for (const type of declared.events ?? []) yield points.eventTypes.add(owner, type.name, type)
  for (const feature of declared.features ?? []) yield points.features.add(owner, idOf(feature.id), feature)
  for (const template of declared.templates ?? [])
    yield points.templates.add(owner, `${pluginId}/${template.id}`, template)
  for (const source of declared.sources ?? []) {
    yield points.sources.add(owner, idOf(source.id), {
      ...source,
      run: remoteSource(host, pluginId, source.id),
    })
  }
  for (const scorer of declared.scorers ?? []) {
    yield points.scorers.add(owner, idOf(scorer.id), {
      ...scorer,
      run: (batch: ColumnBatch, context: RunContext) =>
        host.call(pluginId, 'scorers', scorer.id, 'score', [batch, context], {
          deadlineMs: SCORE_DEADLINE_MS,
        }) as Promise<ColumnBatch['columns']>,
      ...(scorer.fits ? { fit: remoteFit(host, pluginId, scorer.id) } : {}),
    })
  }
  for (const segmenter of declared.segmenters ?? []) {
    yield points.segmenters.add(owner, idOf(segmenter.id), {
      ...segmenter,
      run: (batch: ColumnBatch, context: RunContext) =>
        host.call(pluginId, 'segmenters', segmenter.id, 'assign', [batch, context], {
          deadlineMs: SCORE_DEADLINE_MS,
        }) as Promise<Int16Array>,
    })
  }
  for (const report of declared.reports ?? []) {
    yield points.reports.add(owner, idOf(report.id), {
      ...report,
      run: (parameters: Record<string, unknown>, context: RunContext) =>
        host.call(pluginId, 'reports', report.id, 'run', [parameters, context], {
          deadlineMs: REPORT_DEADLINE_MS,
        }) as Promise<ReportData>,
    })
  }
}

function remoteFit(host: Pick<PluginHost, 'call'>, pluginId: string, id: string): NonNullable<Scorer['fit']> {
  return (table, context) =>
    host.call(pluginId, 'scorers', id, 'fit', [table, context], {
      deadlineMs: SCORE_DEADLINE_MS,
    }) as Promise<JsonValue>
}

/** A source whose methods run in the plugin. */
function remoteSource(host: Pick<PluginHost, 'call'>, pluginId: string, id: string): Required<Source> {
  const call = <K extends keyof Source>(method: K) =>
    ((...args: unknown[]) => host.call(pluginId, 'sources', id, method, args)) as Required<Source>[K]
  return {
    recognise: call('recognise'),
    groupKeys: call('groupKeys'),
    convert: call('convert'),
    handleWebhook: call('handleWebhook'),
  }
}
