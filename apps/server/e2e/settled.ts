import { expect, type Page, type Request } from '@playwright/test'

const open = new WeakMap<Page, Set<Request>>()

/** Counts a page's requests from now on, so that {@link settled} can tell when it has all it asked for. */
export function watchRequests(page: Page): void {
  const requests = new Set<Request>()
  open.set(page, requests)
  page.on('request', (request) => {
    // The stream of changes stays open by nature.
    if (!request.url().endsWith('/api/live')) requests.add(request)
  })
  const ended = (request: Request) => void requests.delete(request)
  page.on('requestfinished', ended)
  page.on('requestfailed', ended)
}

/** Waits until a page shows what it will show: nothing asked for is on its way, nothing stands in for it. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1').last()).toBeAttached()
  let calm = 0
  const isCalm = async () => {
    const waits = open.get(page)?.size || (await page.locator('.skeleton').count())
    calm = waits ? 0 : calm + 1
    return calm
  }
  // An answer may lead to the next question, so once is not enough.
  await expect
    .poll(isCalm, { intervals: [50, 80], message: 'requests and placeholders are gone' })
    .toBeGreaterThan(2)
}
