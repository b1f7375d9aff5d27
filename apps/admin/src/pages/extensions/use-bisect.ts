import {
  answerPluginBisect,
  getPluginBisect,
  queryKeys,
  startPluginBisect,
  stopPluginBisect,
  useLocalized,
} from '@huitou/admin-kit'
import type { PluginBisect } from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { ref, shallowRef } from 'vue'
import { usePlugins } from './use-plugins.ts'

/** The search for the extension behind a problem. */
export function useBisect() {
  const client = useQueryClient()
  const localized = useLocalized()
  const { data: plugins } = usePlugins()
  const {
    data: bisect,
    error,
    refetch,
  } = useQuery({
    queryKey: queryKeys.pluginBisect,
    queryFn: ({ signal }) => getPluginBisect(signal),
    staleTime: 5_000,
  })
  const busy = ref(false)
  const failure = shallowRef<unknown>()

  async function go(step: () => Promise<PluginBisect>): Promise<void> {
    busy.value = true
    failure.value = undefined
    try {
      client.setQueryData(queryKeys.pluginBisect, await step())
    } catch (cause) {
      failure.value = cause
    } finally {
      busy.value = false
      await client.invalidateQueries({ queryKey: queryKeys.plugins })
      for (const key of [queryKeys.columns, queryKeys.segments, queryKeys.reports])
        void client.invalidateQueries({ queryKey: key })
    }
  }

  const nameOf = (id: string | null) =>
    localized(plugins.value?.plugins.find((plugin) => plugin.id === id)?.displayName) || (id ?? '')

  return {
    bisect,
    error,
    refetch,
    busy,
    failure,
    nameOf,
    start: () => go(startPluginBisect),
    good: () => go(() => answerPluginBisect('good')),
    bad: () => go(() => answerPluginBisect('bad')),
    stop: () => go(stopPluginBisect),
  }
}
