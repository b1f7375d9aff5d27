import { userError } from '@huitou/plugin-api'
import { createMiddleware } from 'hono/factory'

const READING = new Set(['GET', 'HEAD', 'OPTIONS'])
/** What a form of any page can send without being asked first. */
const FORM = /^\s*(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i

/**
 * Refuses what a page of somebody else makes a browser send with our cookie: requests that change something have to come
 * from our own page, which browsers tell by `Sec-Fetch-Site` and `Origin`, and are never forms. Programs, which send
 * neither, carry a key and no cookie that somebody could borrow.
 */
export function refuseForeignPages(publicUrl: () => Promise<string | undefined>) {
  return createMiddleware(async (c, next) => {
    if (!READING.has(c.req.method)) {
      const origin = c.req.header('Origin')
      const site = c.req.header('Sec-Fetch-Site')
      const isOurs =
        site === 'same-origin' ||
        site === 'none' ||
        (origin === undefined ? site === undefined : await isOwn(origin, c.req.header('Host'), publicUrl))
      if (!isOurs) {
        throw userError('E_FOREIGN_PAGE', 'A page of another address may not do this', {
          status: 403,
          hint: 'Open Huitou itself. Behind a proxy that changes the host name, set HUITOU_PUBLIC_URL.',
        })
      }
      if (FORM.test(c.req.header('Content-Type') ?? '')) {
        throw userError('E_CONTENT_TYPE', 'This address takes JSON, not a form', {
          status: 415,
          hint: 'Send the body as application/json.',
        })
      }
    }
    await next()
  })
}

/** Whether an origin is this server's: the host that was asked, or the address that people use. */
async function isOwn(
  origin: string,
  host: string | undefined,
  publicUrl: () => Promise<string | undefined>,
): Promise<boolean> {
  const from = URL.parse(origin)
  if (!from) return false
  if (from.host === host) return true
  const known = URL.parse((await publicUrl()) ?? '')
  return known !== null && known.origin === from.origin
}
