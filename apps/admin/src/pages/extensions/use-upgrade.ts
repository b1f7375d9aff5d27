import {
  getPluginCandidate,
  getPluginDrift,
  installPlugin,
  queryKeys,
  rollBackPlugin,
  startPluginShadow,
  trustPublisher,
  upgradePlugin,
  useJob,
  useRefreshJobs,
} from '@huitou/admin-kit'
import type { Plugin, PluginCandidate, PluginDrift, PluginGrants } from '@huitou/admin-kit'
import { useQueryClient } from '@tanstack/vue-query'
import { computed, ref, shallowRef, watch } from 'vue'
import { compareVersions } from './compare-versions.ts'

/** What the owner says about a version that is put in force. */
export interface Agreement {
  /** Absent keeps what was decided before. */
  grants?: PluginGrants | undefined
  decision: 'once' | 'key' | undefined
}

/** Puts another version of an extension in force: brings it here, tells what it would change, compares its scores. */
export function useUpgrade(plugin: Plugin, version: string) {
  const client = useQueryClient()
  const refreshJobs = useRefreshJobs()
  const candidate = shallowRef<PluginCandidate>()
  const failure = shallowRef<unknown>()
  const busy = ref(false)
  const drift = shallowRef<PluginDrift>()
  const shadowJob = ref<string>()
  const job = useJob(shadowJob)
  const isBack = compareVersions(version, plugin.version) < 0

  /** Nothing of the version runs yet; the one in force stays so. */
  async function prepare(acceptNewKey = false): Promise<void> {
    await attempt(async () => {
      const { source, versions, id } = plugin
      const isHere = versions.some((each) => each.version === version)
      if (!isHere && source.kind === 'registry') {
        const { registry, name } = source
        await installPlugin({ registry, name, version, ...(acceptNewKey ? { acceptNewKey } : {}) })
      }
      candidate.value = await getPluginCandidate(id, version)
    })
  }

  async function compare(decision: Agreement['decision']): Promise<void> {
    await attempt(async () => {
      drift.value = undefined
      await vouch(decision)
      const allowed = decision === 'once' ? { allowUnsigned: true } : {}
      const { jobId } = await startPluginShadow(plugin.id, { version, ...allowed })
      shadowJob.value = jobId
      await refreshJobs()
    })
  }

  watch(
    () => job.value?.state,
    (state) => {
      if (state === 'done') void attempt(readDrift)
      else if (state === 'failed') failure.value = job.value?.error
    },
  )
  async function readDrift() {
    drift.value = (await getPluginDrift(plugin.id)) ?? undefined
  }

  /** True when the version is in force afterwards. */
  async function apply({ grants, decision }: Agreement): Promise<boolean> {
    return await attempt(async () => {
      await vouch(decision)
      const mayRollBack = isBack && grants === undefined && decision === undefined
      if (mayRollBack) await rollBackPlugin(plugin.id, version)
      else {
        await upgradePlugin(plugin.id, {
          version,
          ...(grants ? { grants } : {}),
          ...(decision === 'once' ? { allowUnsigned: true } : {}),
        })
      }
    })
  }

  async function vouch(decision: Agreement['decision']) {
    const { publisher, publicKey } = candidate.value?.signature ?? {}
    if (decision !== 'key' || !publisher || !publicKey) return
    await trustPublisher({ publisher, publicKey })
    await client.invalidateQueries({ queryKey: queryKeys.publishers })
  }

  async function attempt(work: () => Promise<void>): Promise<boolean> {
    busy.value = true
    failure.value = undefined
    try {
      await work()
      return true
    } catch (cause) {
      failure.value = cause
      return false
    } finally {
      busy.value = false
      await client.invalidateQueries({ queryKey: queryKeys.plugins })
    }
  }

  const isComparing = computed(
    () => job.value !== undefined && ['queued', 'running', 'paused'].includes(job.value.state),
  )
  return { candidate, failure, busy, drift, job, isBack, isComparing, prepare, compare, apply }
}
