import { checkAccess } from './accessible.ts'
import { type Api, OWNER } from './api.ts'
import type { Page } from '@playwright/test'
import { settled } from './settled.ts'
import { smallShopWords } from './small-shop.ts'
import { expect, locales, test } from './test.ts'
import type { Locale } from './test.ts'

const UNTRANSLATED = /^[a-z]+(\.[a-zA-Z0-9_]+)+$/
/** Looks like a key and is none: ids of extensions, file names, addresses. */
const TECHNICAL = /^(huitou|localhost)\.|\.(csv|xlsx|com)$/
// Words that other tests bring into the same shop stand at the end.
const OWN_WORDS = [
  '中文',
  OWNER.name,
  '测试',
  ...smallShopWords(),
  '江浙沪回头客',
  '键盘建的',
  '合并人',
  '晚霜',
  '拆开测试',
  '试画',
  // For customers, who read the brand's language.
  '满 199 减 20',
]

/** Extensions whose pages are looked at. */
const DRAWN = new Set(['huitou.commerce', 'huitou.care-journeys', 'huitou.channel-email'])

for (const locale of locales) {
  test.describe(`in ${locale}`, () => {
    test.use({ locale, colorScheme: 'light' })

    // Reading every page is the longest thing these tests do; the halves run beside each other.
    for (const half of [0, 1]) {
      test(`every page is translated and fits, and is accessible in both themes (${half + 1} of 2)`, async ({
        page,
        shop,
      }) => {
        test.setTimeout(300_000)
        await page.goto('/')
        await settled(page)
        const all = await places(shop)
        for (const [name, path] of all.filter((_, at) => at % 2 === half)) {
          await goTo(page, path)
          await settled(page)
          await picture(page, `${locale}-light/${name}`)
          await checkTexts(page, { name, locale })
          // What axe looks at is the same in every language; of it only colours differ between the themes.
          if (locale !== 'zh-CN') continue
          await checkAccess(page, name)
          await page.emulateMedia({ colorScheme: 'dark' })
          await atRest(page)
          await picture(page, `${locale}-dark/${name}`)
          await checkAccess(page, `${name}, dark`, ['color-contrast'])
          await page.emulateMedia({ colorScheme: 'light' })
        }
      })
    }
  })

  test.describe(`in ${locale}, signed out`, () => {
    test.use({ locale })

    test('signing in is translated, fits and is accessible', async ({ page, filled }) => {
      await page.goto(`${filled.url}/sign-in`)
      await settled(page)
      await picture(page, `${locale}-light/sign-in`)
      await checkTexts(page, { name: 'sign-in', locale })
      await checkAccess(page, 'sign-in')
    })
  })
}

/** Every place of the admin app, with a name for its picture. */
async function places(shop: Api): Promise<[name: string, path: string][]> {
  const { rows } = await shop.search({
    limit: 1,
    rule: { all: [{ column: 'commerce_orders', op: 'gte', value: 4 }] },
  })
  const { reports } = await shop.request<{ reports: { id: string }[] }>('/api/reports')
  const { plugins } = await shop.request<{ plugins: { id: string }[] }>('/api/plugins')
  const rule = JSON.stringify({
    all: [
      { column: 'commerce_orders', op: 'gte', value: 2 },
      { event: 'order.paid', count: { op: '>=', value: 1 }, within: { days: 90 } },
    ],
  })
  const { segments } = await shop.request<{ segments: { id: string; kind: string }[] }>('/api/segments')
  const task = await shop.request<{ id: number }>('/api/tasks', {
    body: { title: '测试', customerId: rows[0]?.id, dueMinutes: 600, script: '测试 {{event.gift}}' },
  })
  // Texts of the brand's own; the other half of the pages may have made them already.
  await shop
    .request('/api/privacy/consent-texts', {
      body: { id: 'test', title: '测试', variants: { 'zh-CN': '测试', en: '测试' } },
    })
    .then(() => shop.request('/api/privacy/consent-texts/test/versions/1/publish', { body: {} }))
    .catch(() => {})
  await shop.request('/api/privacy/requests', {
    body: { customerId: rows[0]?.id, kind: 'access', way: 'phone', askedBy: '测试', note: '测试' },
  })
  return [
    ['home', '/'],
    ['customers', '/customers'],
    ['customers-rule', `/customers?rule=${encodeURIComponent(rule)}`],
    ['customer', `/customers/${rows[0]?.id}`],
    ['segments', '/segments'],
    ['segment-new', `/segments/new?rule=${encodeURIComponent(rule)}`],
    ['segment-builtin', `/segments/${segments.find(({ kind }) => kind === 'builtin')?.id}`],
    ['journeys', '/journeys'],
    ['journey-templates', '/journeys/templates?template=huitou.care-journeys/abandoned_cart'],
    ['messages', '/messages'],
    ...['dead', 'policy', 'channels', 'sandbox'].map((page): [string, string] => [
      `messages-${page}`,
      `/messages/${page}`,
    ]),
    ['playbook', '/views/huitou.playbook/playbook'],
    ['experiments', '/experiments'],
    ['experiment-new', '/experiments/new'],
    ['workbench', '/workbench'],
    ['task', `/workbench/${task.id}`],
    ['reports', '/reports'],
    ...reports.map(({ id }): [string, string] => [`report-${id}`, `/reports/${id}`]),
    ['extensions', '/extensions'],
    ...['registries', 'publishers', 'bisect'].map((page): [string, string] => [
      `extensions-${page}`,
      `/extensions/${page}`,
    ]),
    ['extension-log', `/extensions/${plugins[0]?.id}?tab=log`],
    // They differ in what they declare, not in how it is drawn: one with code, one without, one with secrets.
    ...plugins
      .filter(({ id }) => DRAWN.has(id))
      .flatMap(({ id }) =>
        ['readme', 'contributions', 'permissions', 'settings'].map((tab): [string, string] => [
          `extension-${id}-${tab}`,
          `/extensions/${id}?tab=${tab}`,
        ]),
      ),
    ...[
      'brand',
      'hours',
      'queues',
      'people',
      'keys',
      'audit',
      'encryption',
      'account',
      'alerts',
      'operations',
      'about',
    ].map((section): [string, string] => [`settings-${section}`, `/settings/${section}`]),
    ['settings-alerts-told', '/settings/alerts?show=telling'],
    ...['requests', 'consents', 'exports', 'erasures', 'retention'].map((part): [string, string] => [
      `settings-privacy-${part}`,
      `/settings/privacy?part=${part}`,
    ]),
    ['templates', '/messages/templates'],
    ['template-new', '/messages/templates/new'],
    ['import-new', '/imports/new'],
    ['start', '/start'],
    ['not-found', '/nowhere'],
  ]
}

/** Follows a link to `path` without loading the whole app anew. */
async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(
      { back: null, current: to, forward: null, position: history.length, replaced: false },
      '',
      to,
    )
    dispatchEvent(new PopStateEvent('popstate', { state: history.state }))
  }, path)
  await expect(page).toHaveURL(path)
}

/** Texts of a page outside of code, and by how much the page is wider than its window. Runs in the browser. */
function textsAndWidth() {
  const texts = new Set<string>()
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent?.trim()
    const parent = node.parentElement
    if (text && parent && !parent.closest('code, pre, kbd, script, style, textarea, [lang], .markdown'))
      texts.add(text)
  }
  for (const element of document.querySelectorAll('[title], [aria-label], [placeholder]')) {
    for (const name of ['title', 'aria-label', 'placeholder']) {
      const text = element.getAttribute(name)?.trim()
      if (text) texts.add(text)
    }
  }
  const { scrollWidth, clientWidth } = document.documentElement
  return { texts: [...texts], overflow: scrollWidth - clientWidth }
}

async function checkTexts(page: Page, { name, locale }: { name: string; locale: Locale }): Promise<void> {
  const found = await page.evaluate(textsAndWidth)
  const untranslated = found.texts.filter((text) => UNTRANSLATED.test(text) && !TECHNICAL.test(text))
  expect.soft(untranslated, `${name}: untranslated`).toEqual([])
  const other = found.texts.filter((text) => (locale === 'en' ? isChinese(text) : isEnglish(text)))
  expect.soft(other, `${name}: in the other language`).toEqual([])
  expect.soft(found.overflow, `${name}: wider than the window by`).toBe(0)
}

/** `HUITOU_PICTURES=1` keeps what every page looked like, for whoever wants to look at them all. */
async function picture(page: Page, name: string): Promise<void> {
  if (!process.env['HUITOU_PICTURES']) return
  await page.screenshot({ path: `test-results/pages/${name}.png`, animations: 'disabled' })
}

/** Waits until no colour is on its way to another. */
async function atRest(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    // The first frame brings the new theme, the second what it sets in motion.
    await frame()
    await frame()
    const moving = document.getAnimations().filter((each) => each instanceof CSSTransition)
    await Promise.allSettled(moving.map((each) => each.finished))
  })
}

/** Chinese that is not the shop's own: its customers, places and goods keep their names in every language. */
function isChinese(text: string): boolean {
  return /\p{Script=Han}/u.test(OWN_WORDS.reduce((rest, word) => rest.replaceAll(word, ''), text))
}

/** A phrase of English words; single words may be names. */
function isEnglish(text: string): boolean {
  return /^[A-Z]?[a-z]+([ ,]+[a-z]+)+[.]?$/.test(text) || /^[A-Z][a-z]+(ed|ing|s)$/.test(text)
}
