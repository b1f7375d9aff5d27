import { useQuery } from '@tanstack/vue-query'
import { getMe, getSettings, getSetup, type Me } from '../api/account.ts'
import { setServerAhead } from '../format/server-time.ts'
import { queryKeys } from './query-keys.ts'

/** Who is signed in. */
export function useMe() {
  return useQuery({ queryKey: queryKeys.me, queryFn: ({ signal }) => getMe(signal), staleTime: 5 * 60_000 })
}

/** What somebody may be allowed to do, by name. */
export type Permission = Me['permissions'][number]

/** Says whether who is signed in may do something; nothing, until that is known. */
export function useMay() {
  const { data } = useMe()
  return (...permissions: readonly Permission[]) =>
    permissions.some((permission) => data.value?.permissions.includes(permission) ?? false)
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
