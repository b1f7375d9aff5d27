import { createTestCore, engines } from '@huitou/testing'
import { expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { adoptCollections } from './adopt.ts'
import { countCollections } from './apply.ts'
import { complaints, declare, insertAll, plugin } from './collections-fixture.ts'

test.each(engines)(
  'a successor finds records, searches them and goes on with them, on %s',
  async (engine) => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const [first = ''] = await insertAll(core.collections, [{ subject: 'cold tea' }, { subject: 'no spoon' }])
    await core.collections.update(`${plugin}/complaint`, first, {
      data: { subject: 'very cold tea' },
      by: 'person:p1',
    })
    await transact(core.database.db, (tx) => adoptCollections(tx, plugin, 'acme.successor', 5))
    expect(await countCollections(core.database.db, plugin)).toEqual([])

    const owner = {
      plugin: 'acme.successor',
      prefix: 'successor',
      text: (text: string) => ({ en: text, 'zh-CN': text }),
    }
    core.points.collections.add(owner as never, 'acme.successor/complaint', {
      ...complaints,
      run: {},
    } as never)
    await core.collections.apply('acme.successor', [complaints])
    const found = await core.collections.find('acme.successor/complaint', { search: 'cold', limit: 10 })
    expect(found.records.map(({ id, data }) => [id, data['subject']])).toEqual([[first, 'very cold tea']])
    await core.collections.insert('acme.successor/complaint', { subject: 'late' }, { by: 'person:p1' })
    expect(await countCollections(core.database.db, 'acme.successor')).toMatchObject([{ records: 3 }])
    const history = await core.database.db.selectFrom('collection_history').select('collection').execute()
    expect(history).toEqual([{ collection: 'acme.successor/complaint' }])
    // The one that was there before may come back, with nothing of what it left.
    await core.collections.apply(plugin, [complaints])
    expect(await countCollections(core.database.db, plugin)).toMatchObject([{ records: 0 }])
  },
)
