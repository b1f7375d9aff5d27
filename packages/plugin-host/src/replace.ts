import { AppError, pointCatalogue, userError } from '@huitou/plugin-api'
import type { ResolvedManifest } from '@huitou/plugin-api'
import type { Activator } from './activator.ts'
import { checkMayEnable } from './enabling.ts'
import type { ContributionsChange, HostCallOptions, Point } from './host-options.ts'
import type { PluginInstance } from './plugin-instance.ts'
import type { PluginRecord, PluginVersion } from './plugin-record.ts'

/** A version that runs beside the one in use, and that nobody else calls yet. */
export interface Candidate {
  readonly manifest: ResolvedManifest
  /** Calls an implementation of the candidate, like the host's `call`. */
  call(
    target: { point: Point; id: string; method: string },
    args: unknown[],
    options?: HostCallOptions,
  ): Promise<unknown>
}

export interface ReplaceOptions {
  /** Looks whether the new version does well; throwing keeps the old one. */
  probe?: (candidate: Candidate) => Promise<void> | void
  /** Milliseconds that activation and probe may take together; 30,000 when absent. */
  deadlineMs?: number
}

interface Replacement {
  record: PluginRecord
  version: PluginVersion
  options: ReplaceOptions
  activator: Activator
  records: ReadonlyMap<string, PluginRecord>
  apiVersion: string
  notify(change: ContributionsChange): Promise<void>
  now(): number
}

const defaultDeadlineMs = 30_000
const reason = 'onReplace'

/** Puts `version` in the place of what `record` holds, or throws and leaves everything as it was. */
export async function replacePlugin(replacement: Replacement): Promise<void> {
  const { record, version, activator, records, apiVersion } = replacement
  const { loaded, location } = version
  if (loaded.id !== record.id) {
    throw userError('E_PLUGIN_ID', `${loaded.dir} holds "${loaded.id}", not "${record.id}"`)
  }
  await record.activation?.catch(() => {})
  if (record.state === 'disabled' || location.enabled === false) {
    await activator.deactivate(record)
    await exchange(replacement, false)
    return
  }
  checkMayEnable(version, records, apiVersion)
  const startedAt = performance.now()
  const instance = await startAndProbe(replacement)
  const old = record.instance
  record.instance = instance
  try {
    await exchange(replacement, true)
  } catch (error) {
    record.instance = old
    await instance.end()
    throw error
  }
  record.crashPolicy.reset()
  record.retryAt = 0
  activator.replaced(record, { instance, old, reason, startedAt })
}

async function startAndProbe({
  record,
  version,
  options,
  activator,
  now,
}: Replacement): Promise<PluginInstance> {
  const { probe, deadlineMs = defaultDeadlineMs } = options
  const due = AbortSignal.timeout(deadlineMs)
  const late = new Promise<never>((_resolve, reject) => {
    due.addEventListener('abort', () => reject(tooSlow(record.id, deadlineMs)), { once: true })
  })
  late.catch(() => {})
  const starting = activator.prepare(record, version, reason)
  // One that starts after all is too late.
  let instance: PluginInstance
  try {
    instance = await Promise.race([starting, late])
  } catch (error) {
    activator.notStarted(record, version, error)
    void starting.then((tardy) => tardy.end()).catch(() => {})
    throw error
  }
  const candidate: Candidate = {
    manifest: version.loaded.manifest,
    call: (
      { point, id, method },
      args,
      { signal = due, deadlineMs: callDeadlineMs, locale, onProgress } = {},
    ) =>
      instance.call({ pluginId: record.id, point, id, method, now: now(), locale }, args, {
        signal,
        deadlineMs: callDeadlineMs,
        onProgress,
      }),
  }
  try {
    await Promise.race([instance.probe(requiredOf(version), { signal: due, deadlineMs }), late])
    await Promise.race([probe?.(candidate), late])
    return instance
  } catch (error) {
    activator.notStarted(record, version, error)
    await instance.end()
    throw error
  }
}

/** What a version must have registered by the time it is active, because somebody calls it sooner or later. */
function requiredOf({ loaded }: PluginVersion): [point: string, id: string][] {
  const { contributes = {} } = loaded.manifest
  return pointCatalogue
    .filter((point) => point.engine === 'now' && point.implements.some((method) => /^[a-z]+$/i.test(method)))
    .flatMap(({ id: point }) => {
      const entries = (contributes[point] ?? []) as readonly { id: string; labels?: { rule?: unknown }[] }[]
      // Labels that all have a rule are given without any code.
      const withCode = entries.filter(({ labels }) => !labels?.every(({ rule }) => rule !== undefined))
      return withCode.map(({ id }): [string, string] => [point, id])
    })
}

/** Changes what is declared; listeners that cannot take the new are given the old back. */
async function exchange({ record, version, notify }: Replacement, enabled: boolean): Promise<void> {
  const old = record.version
  const removed = record.enabled ? [old.contributions] : []
  const added = enabled ? [version.contributions] : []
  const wasEnabled = record.enabled
  record.version = version
  record.enabled = enabled
  if (!enabled) record.state = 'disabled'
  try {
    await notify({ added, removed })
  } catch (error) {
    record.version = old
    record.enabled = wasEnabled
    await notify({ added: removed, removed: added }).catch(() => {})
    throw error
  }
}

function tooSlow(pluginId: string, deadlineMs: number): AppError {
  return new AppError(
    'user',
    'E_DEADLINE',
    `The new version of "${pluginId}" was not ready within ${deadlineMs} ms`,
    {
      status: 504,
    },
  )
}
