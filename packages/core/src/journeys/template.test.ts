import { createTestCore, engines } from '@huitou/testing'
import type { JourneyContribution } from '@huitou/plugin-api'
import { describe, expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { mergeChanges } from './template-merge.ts'
import {
  changeParameters,
  createFromTemplate,
  getWithOrigin,
  listFromTemplate,
  listTemplates,
  previewParameters,
} from './template-queries.ts'
import { withoutUnwanted } from './template-steps.ts'
import { contentIn } from './template-texts.ts'
import { checkTemplate } from './template.ts'
import { updateJourney } from './queries.ts'

const owner = {
  plugin: 'test.care',
  prefix: 'care',
  text: (text: unknown) => (typeof text === 'string' ? { en: text, 'zh-CN': text } : text) as never,
}
const unpaid = {
  id: 'unpaid',
  title: 'Unpaid order',
  definition: {
    trigger: { type: 'event', event: 'order.created', key: 'order_id' },
    start: 'wait',
    nodes: {
      wait: { type: 'wait', for: { hours: '${hours}' }, next: 'remind' },
      remind: {
        type: 'send',
        message: {
          title: { en: 'Your order', 'zh-CN': '您的订单' },
          text: { en: '${offer} for {{ event.order_id }}', 'zh-CN': '${offer}，订单 {{ event.order_id }}' },
        },
      },
    },
  },
  parameters: {
    type: 'object',
    properties: {
      hours: { type: 'integer', minimum: 1, default: 2 },
      offer: { type: 'string', default: { en: '10 off', 'zh-CN': '立减 10 元' } },
    },
  },
  needs: { events: ['order.created'], columns: ['t_name', 't_warranty'], actions: ['x.y/z'] },
} as unknown as JourneyContribution

describe.each(engines)('templates of journeys on %s', (engine) => {
  test('a template lists what is missing, becomes a draft, and keeps changes made by hand', async () => {
    await using core = await createTestCore({ engine })
    const take = core.points.journeys.add(owner, 'test.care/unpaid', unpaid)
    const [bare] = await listTemplates(core)
    expect(bare?.missing.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
      'channel *',
      'column t_warranty',
      'event order.created',
      'action x.y/z',
    ])
    expect(bare?.parameters['properties']).toMatchObject({
      offer: { default: '立减 10 元' },
      channel: { default: 'auto' },
    })
    addRecordingChannel(core.points, {
      sandbox: true,
      content: { required: ['text'], properties: { text: { type: 'string' } } },
    })
    const journey = await createFromTemplate(core, { template: 'test.care/unpaid', parameters: { hours: 3 } })
    expect(journey).toMatchObject({
      name: 'Unpaid order',
      template: 'test.care/unpaid',
      parameters: { hours: 3, offer: '立减 10 元' },
      draft: { nodes: { wait: { for: { hours: 3 } } } },
    })
    const { remind } = journey.draft.nodes
    if (remind?.type !== 'send') throw new Error('no send step')
    expect(contentIn(remind.content, 'zh-CN')).toEqual({ text: '立减 10 元，订单 {{ event.order_id }}' })
    expect(contentIn(remind.content, 'en-GB')).toEqual({ text: '立减 10 元 for {{ event.order_id }}' })
    const byHand = { ...journey.draft, nodes: { ...journey.draft.nodes, remind: { ...remind, priority: 9 } } }
    await updateJourney(core, journey.id, { definition: byHand })
    const { definition } = await previewParameters(core, journey.id, { hours: 5 })
    expect(await getWithOrigin(core, journey.id)).toMatchObject({ draft: byHand, parameters: { hours: 3 } })
    const changed = await changeParameters(core, journey.id, { hours: 5 })
    expect(changed.draft).toEqual(definition)
    expect(changed.draft.nodes).toMatchObject({ wait: { for: { hours: 5 } }, remind: { priority: 9 } })
    take()
    core.points.journeys.add(owner, 'test.care/unpaid', {
      ...unpaid,
      definition: { ...unpaid.definition, goal: { event: 'order.paid' } },
    })
    const newer = { newerTemplate: true, parameters: { hours: 5 } }
    expect(await getWithOrigin(core, journey.id)).toMatchObject(newer)
    expect(await listFromTemplate(core, 'test.care/unpaid')).toMatchObject([{ id: journey.id, ...newer }])
    const updated = await changeParameters(core, journey.id, { hours: 5 })
    expect(updated.draft).toMatchObject({ goal: { event: 'order.paid' }, nodes: { remind: { priority: 9 } } })
  })

  test('parameters that do not fit, and templates that nobody has, are refused', async () => {
    await using core = await createTestCore({ engine })
    core.points.journeys.add(owner, 'test.care/unpaid', unpaid)
    const create = (template: string, parameters: Record<string, unknown>) =>
      createFromTemplate(core, { template, parameters })
    await expect(create('test.care/unpaid', { hours: 0 })).rejects.toMatchObject({
      code: 'E_JOURNEY_PARAMETERS',
      details: { problems: [{ field: 'hours', rule: 'minimum' }] },
    })
    await expect(create('test.care/gone', {})).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  })
})

test('a template that gives no journey is found when its plugin is enabled', () => {
  const broken = (value: JourneyContribution) => () => checkTemplate({ owner, id: 'test.care/x', value })
  expect(broken(unpaid)).not.toThrow()
  const nowhere = { ...unpaid, definition: { ...unpaid.definition, start: undefined } }
  expect(broken(nowhere as unknown as JourneyContribution)).toThrow(/start/)
  expect(broken({ ...unpaid, definition: { hello: 1 } })).toThrow(/trigger/)
  const lost = { ...unpaid, definition: { ...unpaid.definition, start: 'elsewhere' } }
  expect(broken(lost)).toThrow(/There is no step "elsewhere"/)
  const unfilled = { ...unpaid, parameters: { type: 'object', properties: {} } }
  expect(broken(unfilled)).toThrow(/hours has no value/)
})

test('steps that nobody wants are left out', () => {
  const nodes = {
    a: { type: 'tag', when: '', next: 'b' },
    b: { type: 'wait', when: 0, next: 'c' },
    c: { type: 'send', when: 'text', next: 'd' },
    d: { type: 'task', when: false },
  }
  expect(withoutUnwanted({ start: 'a', nodes })).toEqual({ start: 'c', nodes: { c: { type: 'send' } } })
})

test('changes by hand and changes of the template are both kept, the template’s where they meet', () => {
  const before = { a: 1, b: { c: 1, d: 1 }, list: [1, 2], gone: 1 }
  const mine = { a: 1, b: { c: 2, d: 2 }, list: [1, 3], own: 1 }
  const now = { a: 2, b: { c: 1, d: 3 }, list: [4, 2], gone: 1 }
  expect(mergeChanges(before, mine, now)).toEqual({ a: 2, b: { c: 2, d: 3 }, list: [4, 3], own: 1 })
})
