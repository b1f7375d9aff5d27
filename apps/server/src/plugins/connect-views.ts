import type { CallView, Core, PointOwner } from '@huitou/core'
import type { CollectionHooks, CommandContext, Contributions, RunContext } from '@huitou/plugin-api'
import type { PluginHost } from '@huitou/plugin-host'

/** A change that a plugin is told of may take this long; then it is told again. */
const CHANGE_DEADLINE_MS = 30_000
const VALIDATE_DEADLINE_MS = 5_000
/** A long command runs as a job, which a person can stop; this only ends what nobody would wait for. */
/** The page waits, and the core has its own, shorter patience. */
const VIEW_DEADLINE_MS = 15_000
const COMMAND_DEADLINE_MS = 6 * 3_600_000

/**
 * Adds the records, pages and commands that a plugin declares to the core's points; their ids are full ones,
 * `publisher.name/id`. Yields what takes each of them out again.
 */
export function* addViewContributions(
  { points }: Pick<Core, 'points'>,
  host: Pick<PluginHost, 'call'>,
  { owner, declared }: { owner: PointOwner; declared: Contributions },
): Generator<() => void> {
  const { plugin } = owner
  const idOf = (id: string) => `${plugin}/${id}`
  for (const collection of declared.collections ?? []) {
    const run = remoteHooks(host, plugin, collection.id)
    yield points.collections.add(owner, idOf(collection.id), { ...collection, run })
  }
  for (const view of declared.views ?? []) {
    const call: CallView = (name, input, context) =>
      host.call(plugin, 'views', view.id, name, [input, context], { deadlineMs: VIEW_DEADLINE_MS })
    yield points.views.add(owner, idOf(view.id), { ...view, call })
  }
  for (const container of declared.viewsContainers ?? [])
    yield points.viewsContainers.add(owner, idOf(container.id), container)
  for (const command of declared.commands ?? []) {
    yield points.commands.add(owner, idOf(command.id), {
      ...command,
      run(input: Record<string, unknown>, { progress, ...context }: CommandContext) {
        return host.call(plugin, 'commands', command.id, 'run', [input, context], {
          deadlineMs: COMMAND_DEADLINE_MS,
          onProgress: progress,
        })
      },
    })
  }
  // Menus and keys have no id of their own.
  for (const [at, menu] of (declared.menus ?? []).entries())
    yield points.menus.add(owner, idOf(`${menu.place}.${menu.command}.${at}`), menu)
  for (const [at, key] of (declared.keybindings ?? []).entries())
    yield points.keybindings.add(owner, idOf(`${key.key}.${key.command}.${at}`), key)
}

/** Hooks of a collection whose code runs in the plugin. */
function remoteHooks(host: Pick<PluginHost, 'call'>, plugin: string, id: string): Required<CollectionHooks> {
  const call = (method: string, change: unknown, context: RunContext, deadlineMs: number) =>
    host.call(plugin, 'collections', id, method, [change, context], { deadlineMs })
  return {
    validate: (change, context) =>
      call('validate', change, context, VALIDATE_DEADLINE_MS) as ReturnType<
        Required<CollectionHooks>['validate']
      >,
    async afterChange(change, context) {
      await call('afterChange', change, context, CHANGE_DEADLINE_MS)
    },
  }
}
