import { ApiError } from '@huitou/admin-kit'
import { MutationCache, QueryCache, QueryClient } from '@tanstack/vue-query'

/** Called when the server says that nobody is signed in any more. */
const signedOut = new Set<() => void>()

export function onSignedOut(listener: () => void): void {
  signedOut.add(listener)
}

function notice(error: unknown) {
  if (error instanceof ApiError && error.status === 401) for (const listener of signedOut) listener()
}

/** One cache of server state. Refusals are final; only silence and the server's own failures are tried again. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: notice }),
  mutationCache: new MutationCache({ onError: notice }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (count, error) =>
        count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
})
