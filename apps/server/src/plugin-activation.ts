import type { Core } from '@huitou/core'
import type { PluginHost } from '@huitou/plugin-host'

/**
 * Starts the plugins that asked to be started with the server, and from now on those that asked for events, once such
 * an event is in a customer's history. Returns what ends it.
 */
export function startActivation(core: Core, host: PluginHost): () => Promise<void> {
  void host.fire('onStartupFinished')
  const { db } = core.database
  let seen: number | undefined
  let looking: Promise<void> | undefined
  let again = false

  async function look(): Promise<void> {
    const { last } = await db
      .selectFrom('timeline')
      .select(({ fn }) => fn.max('seq').as('last'))
      .executeTakeFirstOrThrow()
    const from = seen
    seen = Number(last ?? 0)
    // What happened before somebody wanted to know is past.
    if (from === undefined || seen <= from) return
    const rows = await db
      .selectFrom('timeline')
      .select('name')
      .distinct()
      .where('seq', '>', from)
      .where('seq', '<=', seen)
      .execute()
    await Promise.all(rows.map(({ name }) => host.fire(`onEvent:${name}`)))
  }

  function lookSoon(): void {
    if (!wantsEvents(host)) {
      seen = undefined
      return
    }
    again = true
    looking ??= (async () => {
      while (again) {
        again = false
        await look().catch((error: unknown) => core.log.warn({ error }, 'Events did not reach plugins'))
      }
    })().finally(() => (looking = undefined))
  }

  lookSoon()
  const changes = host.onDidChangeContributions(() => lookSoon())
  const stop = core.onAdvance((stage) => {
    if (stage === 'profiles') lookSoon()
  })
  return async () => {
    stop()
    changes.dispose()
    await looking
  }
}

function wantsEvents(host: PluginHost): boolean {
  return host
    .list()
    .some(
      ({ state, manifest }) =>
        state !== 'disabled' && manifest.activationEvents?.some((event) => event.startsWith('onEvent:')),
    )
}
