import type { ErasedCustomer, Permissions } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import type { PointOwner } from '../points/points.ts'

const text = (given: string | { en: string; 'zh-CN': string }) =>
  typeof given === 'string' ? { en: given, 'zh-CN': given } : given
const ownerOf = (plugin: string, permissions: Permissions): PointOwner => ({
  plugin,
  prefix: 'x',
  permissions: () => permissions,
  text,
})

describe.each(engines)('plugins that keep customers elsewhere, on %s', (engine) => {
  test('are told what they may know until all have answered; until then the erasure is not done', async () => {
    await using core = await createTestCore({ engine })
    await core.send({
      type: 'identify',
      userId: 'a',
      traits: { name: 'Lin Qing', phone: '13800000001', email: 'a@example.cn' },
    })
    await core.settle()
    const { customer_id } = await core.database.db
      .selectFrom('profiles')
      .select('customer_id')
      .executeTakeFirstOrThrow()
    const told: ErasedCustomer[] = []
    let answer: unknown = 'nothing'
    core.points.erasers.add(ownerOf('acme.cards', { 'profile.pii': ['phone'] }), 'acme.cards/cards', {
      id: 'cards',
      title: 'Cards',
      run(customer) {
        told.push(customer)
        if (answer === 'nothing') throw new Error('No way to find Lin Qing under +8613800000001')
        return answer as { removed: number }
      },
    })
    await core.erasures.surround(() => [{ plugin: 'acme.off', id: 'acme.off/mail', title: text('Mail') }])
    const stop = new AbortController()
    const running = core.jobs.run(stop.signal)
    const { id, job } = await core.erasures.request(customer_id, { reason: 'asked', by: 'p1' })
    await core.jobs.finished(job.id)
    expect(told).toMatchObject([{ erasure: id, ids: expect.arrayContaining([customer_id]), key: 'a' }])
    expect(told[0]?.identifiers).toEqual([{ kind: 'phone', value: '+8613800000001' }])
    const state = async () => (await core.erasures.list(1))[0]
    expect(await state()).toMatchObject({
      state: 'requested',
      plugins: [
        { plugin: 'acme.cards', state: 'waiting', attempts: 1, error: 'No way to find  under ' },
        { plugin: 'acme.off', state: 'waiting', attempts: 1, error: 'The extension does not run' },
      ],
    })
    const askAgain = async () => {
      await core.schedules.look()
      for (const each of await core.jobs.list(9)) await core.jobs.finished(each.id)
      return await state()
    }
    // Not at once, and never without an answer that says what went.
    await askAgain()
    expect(told).toHaveLength(1)
    core.clock.advance(61_000)
    answer = undefined
    expect(await askAgain()).toMatchObject({
      plugins: [{ attempts: 2, error: 'It did not say how much went' }, {}],
    })
    core.clock.advance(121_000)
    answer = { removed: 3 }
    expect(await askAgain()).toMatchObject({
      state: 'requested',
      plugins: [{ state: 'done', removed: 3 }, {}],
    })
    // Taken out with its data: nobody is left to answer.
    await core.erasures.release('acme.off')
    expect(await askAgain()).toMatchObject({ state: 'done', plugins: [{}, { state: 'gone' }] })
    expect(told).toHaveLength(3)
    const row = await core.database.db.selectFrom('erasures').selectAll().executeTakeFirstOrThrow()
    expect(row).toMatchObject({ customer: null, marks: null })
    stop.abort()
    await running
  })
})
