import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { may } from '../people/permissions.ts'
import { deleteAccount, listAccounts, openAccount, saveAccount, switchAccount } from './accounts.ts'
import { readSentToday } from './budget-use.ts'
import type { DeliveryContext } from './worker-context.ts'

const AccountId = z.object({ id: z.string().min(1).max(300) })
const Account = z.object({
  channel: z.string().min(1).max(200),
  name: z.string().trim().min(1).max(80),
  settings: z.record(z.string(), z.json()).default({}),
})

type ChannelDeps = Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'> & {
  wake?(): void
  deliveries: { context: DeliveryContext }
}

const tags = ['deliveries']

/** Mounted at `/api/channels`. Settings of accounts go in and never come out. */
export function channelRoutes({ deliveries: { context }, ...deps }: ChannelDeps) {
  const { database, clock } = deps
  const note = async (userId: string, action: string, subject: string) => {
    await audit(database.db, clock, { userId, action, subject })
    deps.wake?.()
  }
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Channels there are, and the accounts on them' }), async (c) => {
      const channels = await listChannels(deps)
      // Whoever reads of a message has to be told its channel; its accounts are for those who look after them.
      const isWhole = may(c.get('user'), 'channels.read')
      return answerJson(c, {
        channels: isWhole ? channels : channels.map((channel) => ({ ...channel, accounts: [] })),
      })
    })
    .post(
      '/accounts',
      describeRoute({ tags, summary: 'A new account, after the channel has tried its settings' }),
      validate('json', Account),
      async (c) => {
        const account = await saveAccount(context, c.req.valid('json'))
        await note(c.get('user').id, 'channel-account.create', account.id)
        return answerJson(c, account, 201)
      },
    )
    .get(
      '/accounts/:id',
      describeRoute({ tags, summary: 'An account with its settings; secrets stay out' }),
      validate('param', AccountId),
      async (c) => answerJson(c, await openAccount(context, c.req.valid('param').id)),
    )
    .put(
      '/accounts/:id',
      describeRoute({ tags, summary: 'Other settings of an account' }),
      validate('param', AccountId),
      validate('json', Account),
      async (c) => {
        const { id } = c.req.valid('param')
        const account = await saveAccount(context, { id, ...c.req.valid('json') })
        await note(c.get('user').id, 'channel-account.change', id)
        return answerJson(c, account)
      },
    )
    .delete(
      '/accounts/:id',
      describeRoute({ tags, summary: 'An account that nothing waits for goes, with its settings' }),
      validate('param', AccountId),
      async (c) => {
        const { id } = c.req.valid('param')
        const { name } = await deleteAccount(context, id)
        await note(c.get('user').id, 'channel-account.delete', id)
        return c.json({ name })
      },
    )
    .post(
      '/accounts/:id/switch',
      describeRoute({ tags, summary: 'Use an account, or let its messages wait' }),
      validate('param', AccountId),
      validate('json', z.object({ active: z.boolean() })),
      async (c) => {
        const { id } = c.req.valid('param')
        const account = await switchAccount(context, id, c.req.valid('json').active)
        await note(c.get('user').id, 'channel-account.switch', id)
        return answerJson(c, account)
      },
    )
}

async function listChannels(deps: Omit<ChannelDeps, 'deliveries'>) {
  const { database, clock, points } = deps
  const accounts = await listAccounts(database.db, clock.now())
  const today = await readSentToday(deps)
  return points.channels.list().map(({ id, owner, value }) => ({
    id,
    plugin: owner.plugin,
    title: owner.text(value.title as string),
    description: value.description === undefined ? null : owner.text(value.description as string),
    icon: value.icon ?? null,
    sandbox: value.sandbox ?? false,
    idempotent: value.idempotent ?? false,
    limits: value.limits ?? {},
    guarantee: value.guarantee,
    address: value.address,
    messages: value.messages,
    receipts: value.receipts ?? [],
    content: value.content,
    settings: value.settings ?? null,
    accounts: accounts
      .filter(({ channel }) => channel === id)
      .map((account) => ({ ...account, sentToday: today.get(account.id) ?? 0 })),
  }))
}
