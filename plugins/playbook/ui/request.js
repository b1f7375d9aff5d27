import { send } from '@huitou/admin-kit'

/** What the server answers, as JSON; with a body it is a POST unless said otherwise. */
export async function json(path, { body, method = body ? 'POST' : 'GET', signal } = {}) {
  const response = await send(path, {
    method,
    signal,
    ...(body ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}),
  })
  return await response.json()
}
