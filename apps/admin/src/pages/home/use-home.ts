import { getHome, queryKeys } from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'

/** Today's numbers and what needs a person. */
export function useHome() {
  return useQuery({
    queryKey: queryKeys.home,
    queryFn: ({ signal }) => getHome(signal),
    staleTime: 30_000,
    refetchInterval: 5 * 60_000,
  })
}
