import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'

describe.each(engines)('on %s', (engine) => {
  test('who listens to the loop hears of a change once it can be read, and nothing while nothing changes', async () => {
    await using core = await createTestCore({ engine })
    await core.settle()
    const read = () => core.database.db.selectFrom('profiles').select('key').execute()
    const heard: { stage: string; customers: Promise<{ key: string }[]> }[] = []
    const profiles = Promise.withResolvers<void>()
    const stop = core.onAdvance((stage) => {
      heard.push({ stage, customers: read() })
      if (stage === 'segments') profiles.resolve()
    })
    core.start()
    await core.send({ type: 'identify', messageId: 'm1', userId: 'u1', traits: { name: '苏晴' } })
    await profiles.promise
    await core.stop()
    stop()
    expect(heard.map(({ stage }) => stage)).toEqual(['profiles', 'segments'])
    for (const { customers } of heard) expect(await customers).toHaveLength(1)
  })
})
