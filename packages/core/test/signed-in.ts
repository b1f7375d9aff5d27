import { Hono } from 'hono'
import type { CoreContext } from '../src/context.ts'
import type { SignedIn } from '../src/http/env.ts'
import { answerProblem } from '../src/http/problem.ts'

/** Asks the routes that `mount` adds as an owner would who is signed in. */
export function signedIn({ log }: Pick<CoreContext, 'log'>, mount: (app: Hono<SignedIn>) => unknown) {
  const app = new Hono<SignedIn>().use(async (c, next) => {
    c.set('user', { id: 'u1', name: 'U', email: 'u@example.com', role: 'owner', locale: 'en' } as never)
    await next()
  })
  mount(app)
  app.onError((error, c) => answerProblem(c, error, log))
  return async (method: string, path: string, body?: unknown): Promise<Response> =>
    await app.request(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
}
