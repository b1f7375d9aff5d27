import { createTestCore, engines } from '@huitou/testing'
import { expect, test } from 'vitest'
import { Schedules } from './schedules.ts'

test.each(engines)(
  'of nodes that look at once, one runs what is due, and each time once (%s)',
  async (engine) => {
    await using core = await createTestCore({ engine, now: '2026-03-01T12:00:00+08:00' })
    const ran: string[] = []
    const nodes = ['a', 'b', 'c'].map((name) => {
      const schedules = new Schedules(core)
      schedules.nodeId = name
      schedules.define({ name: 'hourly', every: 3_600_000, run: async () => void ran.push(`hourly ${name}`) })
      schedules.define({ name: 'nightly', cron: '30 3 * * *', run: async () => void ran.push('nightly') })
      return schedules
    })
    const look = async () => {
      ran.length = 0
      await Promise.all(nodes.map((node) => node.look()))
      await Promise.all(nodes.map((node) => node.look()))
      return ran.map((each) => each.split(' ', 1)[0])
    }
    // An hour of the past is not made up for by work that is new.
    expect(await look()).toEqual(['hourly'])
    core.clock.advance(3_600_000)
    expect(await look()).toEqual(['hourly'])
    core.clock.advance(15 * 3_600_000)
    expect((await look()).toSorted()).toEqual(['hourly', 'nightly'])
    // Everybody was off for days, and the night is half a day ago.
    core.clock.advance(84 * 3_600_000)
    expect(await look()).toEqual(['hourly'])
  },
)

test('what fails is noted and comes again at its next time; a removed one does not', async () => {
  await using core = await createTestCore()
  let runs = 0
  const remove = core.schedules.define({
    name: 'watch',
    every: 60_000,
    run: async () => {
      runs++
      throw new Error('No')
    },
  })
  expect(await core.schedules.look()).toContain('watch')
  const schedules = await core.database.db.selectFrom('schedules').selectAll().execute()
  expect(schedules.find(({ name }) => name === 'watch')).toMatchObject({ error: 'No' })
  core.clock.advance(60_000)
  await core.schedules.look()
  remove()
  core.clock.advance(60_000)
  await core.schedules.look()
  expect(runs).toBe(2)
})
