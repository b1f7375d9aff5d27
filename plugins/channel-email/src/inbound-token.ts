import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether the last part of the address is the token: mail servers that hand mail on sign nothing. */
export function isOurs(path: string, token: unknown): boolean {
  if (typeof token !== 'string' || token === '') return false
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(path.split('/').at(-1) ?? ''), digest(token))
}
