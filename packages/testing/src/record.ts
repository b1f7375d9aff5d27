import type { Effects, PluginHost } from '@huitou/plugin-host'
import { toWireJson } from './wire-json.ts'

/** One line of a recording. */
export type RecordedLine =
  | { kind: 'plugin'; plugin: string; version: string; settings: object; brand: object; now: number }
  | { kind: 'effect'; plugin: string; method: string; args: unknown[]; answer: Outcome }
  | {
      kind: 'call'
      plugin: string
      point: string
      id: string
      method: string
      args: unknown[]
      locale?: string
      now: number
      answer: Outcome
    }

/** What came of a call: a value, or an error with its code. */
export type Outcome = { value: unknown } | { error: { code: string; message: string } }

/** Recordings of what one plugin is asked and asks, a line at a time. */
export interface Recorder {
  /** Records what the plugin asks for; to be put around the effects that the host is given. */
  effects(effects: Effects): Effects
  /** Records what the plugin is asked from now on. */
  attach(host: PluginHost): void
}

/** Records plugin `pluginId`: `write` gets JSON, one line each, of every effect and every call. */
export function createRecorder(
  pluginId: string,
  clock: { now(): number },
  write: (line: string) => void,
): Recorder {
  const put = (line: RecordedLine) => write(toWireJson(line))
  return {
    effects: (effects) => (plugin, method, args, context) => {
      if (plugin !== pluginId || method === 'log' || method === 'progress') {
        return effects(plugin, method, args, context)
      }
      return settle(
        async () => await effects(plugin, method, args, context),
        (answer) =>
          // A copy is written before the answer moves to the plugin.
          put({ kind: 'effect', plugin, method, args, answer }),
      )
    },
    attach(host) {
      const { manifest, settings } = host.getPlugin(pluginId)
      const now = clock.now()
      put({ kind: 'plugin', plugin: pluginId, version: manifest.version, settings, brand: {}, now })
      const original = host.call.bind(host)
      host.call = async (...request) => {
        const [plugin, point, id, method, args, options = {}] = request
        if (plugin !== pluginId) return await original(...request)
        const now = clock.now()
        const last = args.at(-1) as { signal?: unknown } | undefined
        const given = last?.signal instanceof AbortSignal ? args.slice(0, -1) : args
        // Typed arrays move away with the call.
        const kept = structuredClone(given)
        const { locale } = options
        return await settle(
          () => original(...request),
          (answer) =>
            put({
              kind: 'call',
              plugin,
              point,
              id,
              method,
              args: kept,
              ...(locale ? { locale } : {}),
              now,
              answer,
            }),
        )
      }
    },
  }
}

async function settle(work: () => Promise<unknown>, note: (outcome: Outcome) => void): Promise<unknown> {
  try {
    const value = await work()
    note({ value })
    return value
  } catch (error) {
    const { code = 'E_UNEXPECTED', message } = error as { code?: string; message: string }
    note({ error: { code, message } })
    throw error
  }
}
