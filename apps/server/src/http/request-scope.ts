import { AsyncLocalStorage } from 'node:async_hooks'

const scope = new AsyncLocalStorage<string>()

/** Runs `work` so that every line it logs, and what it starts logs, carries the request's id. */
export function withRequestId<T>(id: string, work: () => T): T {
  return scope.run(id, work)
}

/** For the logger: adds the id of the request under way. */
export function requestFacts(): { requestId?: string } {
  const requestId = scope.getStore()
  return requestId === undefined ? {} : { requestId }
}
