import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { isMachine } from '../content/machines.ts'
import type { CoreContext } from '../context.ts'
import { countClick, findLink } from './clicks.ts'
import { SAMPLE_TOKEN } from './message-writer.ts'
import { isShown } from './consent-texts.ts'
import { decideOnPage, findLeavePage } from './unsubscribe.ts'
import { goneLeavePage, goneLinkPage, leavePage, pageLanguage, sampleLeavePage } from './unsubscribe-page.ts'

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand' | 'log'> & { wake?(): void }

/** What tells about a customer by its address is kept out of caches, indexes and the next site's log. */
function keepPrivate(c: Context): void {
  c.header('Cache-Control', 'no-store')
  c.header('Referrer-Policy', 'no-referrer')
  c.header('X-Robots-Tag', 'noindex')
}

async function languageOf(c: Context, deps: RouteDeps, own?: string) {
  return pageLanguage(own, c.req.header('accept-language'), (await deps.brand()).locale)
}

/** Mounted at `/l`: leads on to the page that a link in a message stands for. */
export function linkRoutes(deps: RouteDeps) {
  return new Hono().get('/:token', async (c) => {
    keepPrivate(c)
    const token = c.req.param('token')
    const target = await findLink(deps, token)
    if (target === undefined || target === 'gone')
      return c.html(goneLinkPage(await languageOf(c, deps)), target === 'gone' ? 410 : 404)
    if (!isMachine(c.req.raw.method, (name) => c.req.header(name))) {
      // Somebody wants to get there; a click that cannot be counted must not keep them.
      await countClick(deps, token).catch((error: unknown) =>
        deps.log.error({ error: String(error) }, 'A click could not be counted'),
      )
      deps.wake?.()
    }
    return c.redirect(target, 302)
  })
}

/** Mounted at `/u`: what a customer wants to hear. Only a POST changes anything, as RFC 8058 has it. */
export function unsubscribeRoutes(deps: RouteDeps) {
  return new Hono()
    .use(bodyLimit({ maxSize: 10_000 }))
    .get('/:token', async (c) => {
      keepPrivate(c)
      const token = c.req.param('token')
      if (token === SAMPLE_TOKEN) return c.html(sampleLeavePage(await languageOf(c, deps)))
      const page = await findLeavePage(deps, token)
      const language = await languageOf(c, deps, page?.locale)
      return page ? c.html(leavePage(page, language)) : c.html(goneLeavePage(language), 404)
    })
    .post('/:token', async (c) => {
      keepPrivate(c)
      const token = c.req.param('token')
      if (token === SAMPLE_TOKEN) return c.html(sampleLeavePage(await languageOf(c, deps)))
      const page = await findLeavePage(deps, token)
      if (!page) return c.html(goneLeavePage(await languageOf(c, deps)), 404)
      const form = await c.req.parseBody().catch(() => ({}) as Record<string, unknown>)
      const isOneClick = form['List-Unsubscribe'] === 'One-Click'
      const wanted = form['channel']
      const channel =
        page.channels.some(({ id }) => id === wanted) || wanted === '*' ? String(wanted) : undefined
      const language = await languageOf(c, deps, page.locale)
      const allow = !isOneClick && form['choice'] === 'subscribe' && channel !== undefined
      await decideOnPage(deps, page, {
        allow,
        channel: isOneClick ? page.delivery.channel : (channel ?? page.delivery.channel),
        by: isOneClick ? 'one-click' : 'page',
        sender: { address: c.req.header('x-forwarded-for'), agent: c.req.header('user-agent') },
        text: allow ? await shownText(deps, form['text'], language) : undefined,
      })
      deps.wake?.()
      if (isOneClick) return c.text('OK')
      return c.html(leavePage(asDecided(page, form), language, { saved: true }))
    })
}

/** What the page showed, as its form says: it may have been open since before there was a newer version. */
async function shownText({ database }: RouteDeps, said: unknown, locale: string) {
  const [, id, version] = /^([a-z][a-z0-9-]{0,59})\/(\d{1,8})$/.exec(String(said ?? '')) ?? []
  if (id === undefined) return undefined
  const text = { id, version: Number(version), locale }
  return (await isShown(database.db, text)) ? text : undefined
}

/** The page as it is now; consents themselves follow within a second. */
function asDecided(page: Awaited<ReturnType<typeof findLeavePage>> & object, form: Record<string, unknown>) {
  const allowed = form['choice'] === 'subscribe'
  return {
    ...page,
    channels: page.channels.map((channel) =>
      form['channel'] === channel.id || form['channel'] === '*' ? { ...channel, allowed } : channel,
    ),
  }
}
