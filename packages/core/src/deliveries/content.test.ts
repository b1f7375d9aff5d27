import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { Hono } from 'hono'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addRecordingChannel, type RecordingChannel } from '../../test/recording-channel.ts'
import { mediaRoutes } from '../content/asset-routes.ts'
import { saveAsset } from '../content/assets.ts'
import {
  createTemplate,
  deleteTemplate,
  getTemplate,
  listTemplates,
  updateTemplate,
} from '../content/templates.ts'
import { transact } from '../db/database.ts'
import { planDeliveries, type Route, routeContent } from '../journeys/outbox.ts'
import { createJourney, publishJourney } from '../journeys/queries.ts'
import { writeBrand } from '../settings/brand.ts'
import { settleClicks } from './clicks.ts'
import { previewDraft, sendTest } from './content-queries.ts'
import { writeContactPolicy } from './policy.ts'
import { linkRoutes, unsubscribeRoutes } from './public-routes.ts'

const BROWSER =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.60'
const PUBLIC = 'https://hello.example.com'
const CONTENT = {
  type: 'object',
  required: ['text'],
  properties: {
    text: { type: 'string' },
    html: { type: 'string' },
    unsubscribe_url: { type: 'string', format: 'uri' },
    attachments: { type: 'array', items: { type: 'string', format: 'asset' } },
  },
}

describe.each(engines)('content on %s', (engine) => {
  let core: TestCore
  let sms: RecordingChannel
  let app: Hono
  let next = 0

  beforeAll(async () => {
    core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    await writeBrand(core.database.db, { brandName: '山茶', publicUrl: `${PUBLIC}/` })
    await writeContactPolicy(core.database.db, {
      quietHours: null,
      caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
      budgets: [],
      fatigue: null,
      consentNeeded: [],
    })
    app = new Hono()
      .route('/l', linkRoutes(core))
      .route('/u', unsubscribeRoutes(core))
      .route('/media', mediaRoutes(core))
  })
  afterAll(() => core[Symbol.asyncDispose]())
  beforeEach(() => {
    sms?.remove()
    sms = addRecordingChannel(core.points, { content: CONTENT })
    core.clock.advance(86_400_000 * 2)
  })

  async function customer(traits: Record<string, unknown> = {}): Promise<number> {
    const phone = `+86138${String(++next).padStart(8, '0')}`
    await core.send({ type: 'identify', userId: `u${next}`, traits: { phone, name: `N${next}`, ...traits } })
    await core.settle()
    const row = await core.database.db
      .selectFrom('identifiers')
      .select('customer_id')
      .where('value', '=', `u${next}`)
      .executeTakeFirstOrThrow()
    return row.customer_id
  }

  async function sendTo(customerId: number, route: Partial<Route> & { template?: string }) {
    const key = `k${++next}`
    const content = routeContent({ content: {}, ...route })
    await transact(core.database.db, (tx) =>
      planDeliveries(
        tx,
        [
          {
            key,
            kind: 'message',
            channel: sms.id,
            account: '',
            customerId,
            content,
            dueAt: core.clock.now(),
          },
        ],
        core.clock.now(),
      ),
    )
    await core.settle()
    const row = await core.database.db
      .selectFrom('deliveries')
      .select(['id', 'state', 'reason', 'details'])
      .where('key', '=', key)
      .executeTakeFirstOrThrow()
    return { ...row, message: sms.received.find((delivery) => delivery.key === key)?.content }
  }

  const visit = (url: unknown, init: RequestInit = {}) =>
    app.request(String(url).replace(PUBLIC, ''), {
      ...init,
      headers: { 'user-agent': BROWSER, ...(init.headers as Record<string, string>) },
    })
  const namesOf = async (id: number) =>
    (
      await core.database.db
        .selectFrom('timeline')
        .select('name')
        .where('customer_id', '=', id)
        .where('name', 'like', '%.%')
        .orderBy('seq')
        .execute()
    ).map(({ name }) => name)

  test('each reads it in their language; what is missing refuses the message with its names', async () => {
    const template = await createTemplate(
      core,
      {
        name: 'Hi',
        channel: sms.id,
        defaultLocale: 'zh-CN',
        variants: {
          'zh-CN': { text: '{{ customer.t_name }}，你好' },
          en: { text: 'Hello {{ customer.t_name }} from {{ customer.t_city }}' },
        },
      },
      'u',
    )
    const chinese = await sendTo(await customer(), { template: template.id })
    expect(chinese.message?.['text']).toMatch(/^N\d+，你好$/)
    const english = await sendTo(await customer({ language: 'English', city: 'Leeds' }), {
      template: template.id,
    })
    expect(english.message?.['text']).toMatch(/^Hello N\d+ from Leeds$/)
    const nowhere = await sendTo(await customer({ language: 'en-GB' }), { template: template.id })
    expect([nowhere.state, nowhere.reason]).toEqual(['refused', 'content'])
    expect(JSON.parse(nowhere.details ?? '')).toMatchObject({ missing: ['customer.t_city'] })

    const late = await customer()
    const edited = { ...template, variants: { 'zh-CN': { text: '改过了' } } }
    await updateTemplate(core, template.id, { input: edited, by: 'u' })
    expect((await sendTo(late, { template: template.id })).message).toMatchObject({ text: '改过了' })
    expect((await getTemplate(core.database.db, template.id)).version).toBe(2)

    const definition = {
      trigger: { type: 'event', event: 'visit' },
      start: 'hi',
      nodes: { hi: { type: 'send', channel: sms.id, template: template.id } },
    }
    const journey = await createJourney(core, { name: 'J', definition })
    expect((await listTemplates(core.database.db))[0]?.usedBy).toMatchObject([{ journeyId: journey.id }])
    await expect(deleteTemplate(core, template.id)).rejects.toMatchObject({ code: 'E_TEMPLATE_IN_USE' })
    await publishJourney(core, journey.id, 'u')
    const wrong = { ...edited, variants: { 'zh-CN': { text: 'a\n{{ customer.nobody }}' } } }
    await updateTemplate(core, template.id, { input: wrong, by: 'u' })
    await expect(publishJourney(core, journey.id, 'u')).rejects.toMatchObject({
      details: { mistakes: [{ code: 'missing_variable', path: 'nodes.hi.content.text', line: 2 }] },
    })
  })

  test('links are counted for people, not for machines, and lead to pages only', async () => {
    const id = await customer()
    const sent = await sendTo(id, {
      content: {
        text: '看 https://shop.example/a?x=1。',
        html: '<a href="https://shop.example/b?x=1&amp;y=2">b</a><a href="javascript:alert(1)">c</a>',
      },
    })
    const text = String(sent.message?.['text'])
    expect(text).toMatch(/^看 https:\/\/hello\.example\.com\/l\/[A-Za-z0-9]{11}。$/)
    const [html] = /https:[^"]+/.exec(String(sent.message?.['html'])) ?? []
    expect(sent.message?.['html']).toContain('<a href="#">c</a>')
    const link = text.slice(2, -1)

    core.clock.advance(3_600_000)
    for (const agent of ['curl/8.1', 'Mozilla/5.0 (compatible; Googlebot/2.1)', '']) {
      expect((await visit(link, { headers: { 'user-agent': agent } })).status).toBe(302)
    }
    await visit(link, { method: 'HEAD' })
    await visit(link, { headers: { 'sec-purpose': 'prefetch' } })
    await core.settle()
    expect(await namesOf(id)).not.toContain('message.clicked')

    const answer = await visit(html)
    expect(answer.headers.get('location')).toBe('https://shop.example/b?x=1&y=2')
    await core.settle()
    expect(await namesOf(id)).toContain('message.clicked')
    expect((await visit('/l/nothinghere')).status).toBe(404)
    core.clock.advance(181 * 86_400_000)
    expect((await visit(link)).status).toBe(410)
  })

  test('who follows every link as soon as the message is out is a machine', async () => {
    const id = await customer()
    const sent = await sendTo(id, { content: { text: 'https://shop.example/1 https://shop.example/2' } })
    core.clock.advance(5_000)
    for (const link of String(sent.message?.['text']).split(' ')) await visit(link)
    core.clock.advance(20_000)
    expect(await settleClicks(core)).toBe(true)
    await core.settle()
    expect(await namesOf(id)).not.toContain('message.clicked')

    const other = await sendTo(id, { content: { text: 'https://shop.example/1 https://shop.example/2' } })
    core.clock.advance(8_000)
    await visit(String(other.message?.['text']).split(' ')[1])
    core.clock.advance(20_000)
    await core.settle()
    expect((await namesOf(id)).filter((name) => name === 'message.clicked')).toHaveLength(1)
  })

  test('unsubscribing: looking changes nothing, one click does, and people can come back', async () => {
    const id = await customer()
    const sent = await sendTo(id, {
      content: { text: 'Sale', html: '<a href="{{ unsubscribe_url }}">x</a>' },
    })
    const url = String(sent.message?.['unsubscribe_url'])
    expect(sent.message?.['html']).toBe(`<a href="${url}">x</a>`)
    const page = await visit(url)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('山茶')])
    await core.settle()
    expect((await sendTo(id, { content: { text: 'Again' } })).state).toBe('sent')

    const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
    expect(await (await visit(url, form({ 'List-Unsubscribe': 'One-Click' }))).text()).toBe('OK')
    await core.settle()
    expect((await sendTo(id, { content: { text: 'No' } })).reason).toBe('consent_withdrawn')
    expect(await namesOf(id)).toContain('message.unsubscribed')
    const [consent] = await core.database.db
      .selectFrom('consents')
      .selectAll()
      .where('customer_id', '=', id)
      .execute()
    expect(consent).toMatchObject({ channel: sms.id, state: 'withdrawn', source: 'huitou:unsubscribe' })

    core.clock.advance(1_000)
    const back = await visit(url, form({ channel: sms.id, choice: 'subscribe' }))
    expect(await back.text()).toContain('已保存')
    await core.settle()
    expect((await sendTo(id, { content: { text: 'Back' } })).state).toBe('sent')
    core.clock.advance(1_000)
    await visit(url, form({ channel: '*', choice: 'unsubscribe' }))
    await core.settle()
    expect((await sendTo(id, { content: { text: 'No' } })).reason).toBe('consent_withdrawn')
    expect((await visit('/u/nothinghere')).status).toBe(404)
  })

  test('files are what their bytes say, and travel with the message', async () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
    const asset = await saveAsset(core, { name: '../a b.svg', bytes: png, by: 'u' })
    expect(asset).toMatchObject({ name: 'a b.png', type: 'image/png' })
    await expect(
      saveAsset(core, { name: 'x.png', bytes: Buffer.from('<svg onload=alert(1)>'), by: 'u' }),
    ).rejects.toMatchObject({ code: 'E_ASSET_TYPE' })
    const shown = await visit(`/media/${asset.id}`)
    expect(shown.headers.get('content-type')).toBe('image/png')
    expect(Buffer.from(await shown.arrayBuffer()).equals(png)).toBe(true)
    const sent = await sendTo(await customer(), { content: { text: 'x', attachments: [asset.id] } })
    expect(sent.message?.['attachments']).toEqual([
      { filename: 'a b.png', type: 'image/png', content: png.toString('base64') },
    ])
  })

  test('preview hides what is personal; a test goes where it is told', async () => {
    const id = await customer({ city: 'Leeds' })
    const { context } = core.deliveries
    const content = { text: '{{ customer.t_name }} {{ customer.t_phone }}' }
    const preview = await previewDraft(context, { channel: sms.id, content, customerId: id })
    expect(preview).toMatchObject({ problems: [], measure: { segments: 1 } })
    expect(preview.content?.['text']).toMatch(/^N\d+ 138\*{4}\d{4}$/)
    const before = sms.received.length
    const result = await sendTest(context, {
      channel: sms.id,
      content,
      customerId: id,
      address: '+8613800000000',
    })
    expect(result.outcome).toBe('sent')
    expect(sms.received.slice(before)).toMatchObject([{ address: '+8613800000000' }])
    await expect(
      sendTest(context, { channel: sms.id, content: { text: '{{ event.x }}' }, customerId: id }),
    ).rejects.toMatchObject({ code: 'E_CONTENT', details: { missing: ['event.x'] } })
  })
})
