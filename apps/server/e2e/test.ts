import { test as base, expect, type Page } from '@playwright/test'
import { type Api, setUpOwner } from './api.ts'
import { startHuitou } from './huitou-process.ts'
import { watchRequests } from './settled.ts'
import { smallShop } from './small-shop.ts'

export type Locale = 'zh-CN' | 'en'
export const locales: Locale[] = ['zh-CN', 'en']

interface TestFixtures {
  /** Fails the test when the page wrote an error to its console. */
  quiet: void
  /** The small shop with its owner signed in, in the language of the browser. */
  shop: Api
}

interface WorkerFixtures {
  /** A Huitou with the small shop in it, one for all tests of a worker. */
  filled: Api
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  filled: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs.
    async ({}, use) => {
      await using huitou = await startHuitou()
      const api = await setUpOwner(huitou.url)
      const { events, buyers } = smallShop(Date.now())
      await api.send(events)
      await api.scored(buyers)
      await use(api)
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  quiet: [
    async ({ page }, use) => {
      watchRequests(page)
      const errors = watchErrors(page)
      await use()
      expect(errors, 'errors in the console').toEqual([])
    },
    { auto: true },
  ],
  shop: async ({ filled, context, locale }, use) => {
    // The owner is Chinese; who reads in another language chose it on the device.
    await context.addInitScript(
      (chosen) => localStorage.setItem('huitou.locale', chosen),
      locale === 'en' ? 'en' : 'zh-CN',
    )
    await context.addCookies([{ ...filled.cookie, url: filled.url }])
    await use(filled)
  },
  baseURL: async ({ filled }, use) => use(filled.url),
})

export { expect }

/**
 * What Chromium calls an error and is none: asking who is signed in when nobody is, a server that was stopped, an
 * upgrade that was taken back, an extension or a customer asked after while it went away, and a record that was refused.
 */
const EXPECTED = [
  /status of 401 .*\/api\/me$/,
  /net::ERR_\w+ .*\/api\/live$/,
  /status of 409 .*\/api\/plugins\/[^/]+\/upgrade$/,
  /status of 404 .*\/api\/plugins\/[^/]+$/,
  /status of 404 .*\/api\/customers\/\d+(\/\w+)?$/,
  /status of (409|422) .*\/records(\/[\w-]+)?$/,
]

/** Errors that the page writes or throws from now on. */
export function watchErrors(page: Page): string[] {
  const errors: string[] = []
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url}`
    if (message.type() === 'error' && !EXPECTED.some((expected) => expected.test(text))) errors.push(text)
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  return errors
}

/** The words of a test in the reader's language. */
export function inLocale<T>(locale: Locale, words: { zh: T; en: T }): T {
  return locale === 'en' ? words.en : words.zh
}
