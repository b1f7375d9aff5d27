import type { PollAnswer, PollRequest } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { listAccounts, saveAccount } from './accounts.ts'

const box = { seal: (text: string) => text, open: (text: string) => text }

test.each(engines)(
  'an account is polled by itself, from where the stored answer ends, on %s',
  async (engine) => {
    await using core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    const asked: PollRequest[] = []
    const answers: (PollAnswer | Error)[] = []
    const mail = addRecordingChannel(core.points, { pollSeconds: 60 })
    mail.poll = (request) => {
      asked.push(request)
      const answer = answers.shift() ?? { receipts: [] }
      if (answer instanceof Error) throw answer
      return answer
    }
    const { id } = await saveAccount(
      { ...core, box },
      { channel: mail.id, name: 'Box', settings: { host: 'mail' } },
    )
    answers.push({ receipts: [], cursor: '7', more: true }, new Error('away'), {
      receipts: [{ providerId: 'x', kind: 'bounced', at: core.clock.now() }],
      cursor: '9',
    })
    await core.settle()
    expect(asked).toEqual([
      { settings: { host: 'mail' }, pending: [] },
      { settings: { host: 'mail' }, pending: [], cursor: '7' },
    ])
    const error = async () => (await listAccounts(core.database.db, core.clock.now()))[0]?.lastError
    expect(await error()).toBe('poll: away')
    // What could not be asked is asked again, from the same place, and not before its time.
    await core.settle()
    expect(asked).toHaveLength(2)
    core.clock.advance(60_000)
    await core.settle()
    core.clock.advance(60_000)
    await core.settle()
    expect(await error()).toBeNull()
    expect(asked.slice(2).map(({ cursor }) => cursor)).toEqual(['7', '9'])
    // Another mailbox, perhaps: it is read from the beginning.
    await saveAccount({ ...core, box }, { id, channel: mail.id, name: 'Box', settings: { host: 'other' } })
    await core.settle()
    expect(asked.at(-1)).toEqual({ settings: { host: 'other' }, pending: [] })
  },
)
