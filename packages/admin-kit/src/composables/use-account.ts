import { useQuery } from '@tanstack/vue-query'
import { getMe, getSettings, getSetup } from '../api/account.ts'
import { setServerAhead } from '../format/server-time.ts'
import { queryKeys } from './query-keys.ts'

/** Who is signed in. */
export function useMe() {
  return useQuery({ queryKey: queryKeys.me, queryFn: ({ signal }) => getMe(signal), staleTime: 5 * 60_000 })
}

/** The brand's name, currency, time zone and language. */
export function useSettings() {
  return useQuery({
    queryKey: queryKeys.settings,
    queryFn: ({ signal }) => getSettings(signal),
    staleTime: 5 * 60_000,
  })
}

/** Whether there is an owner, and whether there is any data. */
export function useSetup() {
  return useQuery({
    queryKey: queryKeys.setup,
    async queryFn({ signal }) {
      const setup = await getSetup(signal)
      setServerAhead(setup.aheadMs)
      return setup
    },
    staleTime: 30_000,
  })
}
