import type { Core, PointOwner } from '@huitou/core'
import type { Channel, Contributions, RunContext } from '@huitou/plugin-api'
import type { PluginHost } from '@huitou/plugin-host'

/** What asks a provider may take this long; a batch that is sent has longer. */
const ASK_DEADLINE_MS = 30_000
const SEND_DEADLINE_MS = 60_000

/** Adds the channels that a plugin declares to the core's points, under full ids. Yields what takes each out again. */
export function* addChannels(
  { points }: Pick<Core, 'points'>,
  host: Pick<PluginHost, 'call'>,
  { owner, declared }: { owner: PointOwner; declared: Contributions },
): Generator<() => void> {
  for (const channel of declared.channels ?? []) {
    const run = remoteChannel(host, owner.plugin, channel.id)
    yield points.channels.add(owner, `${owner.plugin}/${channel.id}`, { ...channel, run })
  }
}

/**
 * A channel whose code runs in the plugin. Which methods it has shows only there: one that is missing has nothing to
 * tell, and objects to nothing.
 */
function remoteChannel(host: Pick<PluginHost, 'call'>, plugin: string, id: string): Required<Channel> {
  const call = async <T>(method: string, request: unknown, context: RunContext, deadlineMs: number) =>
    (await host.call(plugin, 'channels', id, method, [request, context], { deadlineMs })) as T
  const ask = async <T>(method: string, request: unknown, context: RunContext, otherwise: T): Promise<T> => {
    try {
      return await call<T>(method, request, context, ASK_DEADLINE_MS)
    } catch (error) {
      if ((error as { code?: string }).code === 'E_NOT_IMPLEMENTED') return otherwise
      throw error
    }
  }
  return {
    send: (batch, context) => call('send', batch, context, SEND_DEADLINE_MS),
    poll: (request, context) => ask('poll', request, context, []),
    lookUp: (request, context) =>
      ask(
        'lookUp',
        request,
        context,
        request.messages.map(({ key }) => ({ key, outcome: 'unknown' as const })),
      ),
    remind: (request, context) => ask('remind', request, context, undefined),
    withdraw: (request, context) =>
      ask(
        'withdraw',
        request,
        context,
        request.pending.map(({ key }) => ({ key, outcome: 'unknown' as const })),
      ),
    handleWebhook: (request, context) => ask('handleWebhook', request, context, { status: 404 }),
    verifySettings: (settings, context) => ask('verifySettings', settings, context, { ok: true as const }),
  }
}
