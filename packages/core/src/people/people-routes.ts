import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { oneTimePassword } from './accounts.ts'
import { audit } from './audit.ts'
import type { Auth } from './auth.ts'
import { ROLE_PERMISSIONS } from './permissions.ts'
import { readSecurity, writeSecurity } from './security-policy.ts'

const Role = z.enum(['owner', 'operator', 'agent', 'analyst', 'developer'])
const Locale = z.enum(['zh-CN', 'en'])
const NewPerson = z.object({
  name: z.string().trim().min(1).max(80),
  email: z.email().max(200),
  role: Role,
  locale: Locale.default('zh-CN'),
})
const Change = z.object({
  name: z.string().trim().min(1).max(80).optional(),
  locale: Locale.optional(),
  role: Role.optional(),
  isActive: z.boolean().optional(),
})
const Policy = z.object({ requireTwoFactor: z.boolean() })
const tags = ['people']

type Deps = Pick<CoreContext, 'database' | 'clock'> & {
  auth: Pick<Auth, 'accounts' | 'createUser' | 'listUsers' | 'singleSignOn'>
  /** Ends what pages of somebody have open. */
  endPages(user: string): void
}

/** Mounted at `/api/people`: whom work can be given to, and the accounts of everybody. */
export function peopleRoutes(deps: Deps) {
  const {
    database: { db },
    auth,
  } = deps
  const { accounts } = auth
  const note = noteFor(deps)
  return new Hono<SignedIn>()
    .route('/', signInRoutes(deps))
    .get('/', describeRoute({ tags, summary: 'Everybody who works with this Huitou' }), async (c) => {
      const users = await auth.listUsers()
      return c.json({ people: users.map(({ id, name, role }) => ({ id, name, role })) })
    })
    .get('/accounts', describeRoute({ tags, summary: 'Accounts, and what each role may do' }), async (c) =>
      c.json({
        accounts: await accounts.list(),
        roles: ROLE_PERMISSIONS,
        security: await readSecurity(db),
        singleSignOn: auth.singleSignOn ?? null,
      }),
    )
    .post(
      '/accounts',
      describeRoute({
        tags,
        summary: 'Make an account; its password for the first sign-in is told this once',
      }),
      validate('json', NewPerson),
      async (c) => {
        const password = oneTimePassword()
        const { id } = await auth.createUser({ ...c.req.valid('json'), password, passwordDue: true })
        await note(c.get('user').id, 'person.invite', id, { role: c.req.valid('json').role })
        return c.json({ account: await accounts.get(id), password }, 201)
      },
    )
    .put(
      '/accounts/:id',
      describeRoute({ tags, summary: 'Change name, role, or whether somebody may sign in' }),
      validate('json', Change),
      async (c) => {
        const id = c.req.param('id')
        const before = await accounts.get(id)
        const after = await accounts.change(id, c.req.valid('json'))
        const by = c.get('user').id
        if (after.role !== before.role || after.isActive !== before.isActive) deps.endPages(id)
        if (after.role !== before.role)
          await note(by, 'person.role', id, { from: before.role, to: after.role })
        if (after.isActive !== before.isActive)
          await note(by, after.isActive ? 'person.activate' : 'person.deactivate', id)
        return c.json(after)
      },
    )
}

type Note = (userId: string, action: string, subject: string, details?: object) => Promise<void>

function noteFor({ database: { db }, clock }: Deps): Note {
  return (userId, action, subject, details = {}) => audit(db, clock, { userId, action, subject, details })
}

/** How others prove who they are, as far as an owner decides it. */
function signInRoutes(deps: Deps) {
  const {
    database: { db },
    auth: { accounts },
  } = deps
  const note = noteFor(deps)
  return new Hono<SignedIn>()
    .post(
      '/accounts/:id/password',
      describeRoute({ tags, summary: 'A new password for one sign-in; it is told this once' }),
      async (c) => {
        const id = c.req.param('id')
        if (id === c.get('user').id)
          throw userError('E_OWN_ACCOUNT', 'This is your own account', {
            status: 409,
            hint: 'Change your password in your account.',
          })
        await accounts.get(id)
        const password = oneTimePassword()
        await accounts.setPassword(id, password, { isDue: true })
        deps.endPages(id)
        await note(c.get('user').id, 'person.password-reset', id)
        return c.json({ password })
      },
    )
    .delete(
      '/accounts/:id/two-factor',
      describeRoute({ tags, summary: 'Take away a second factor that somebody lost' }),
      async (c) => {
        const id = c.req.param('id')
        await accounts.dropTwoFactor(id)
        deps.endPages(id)
        await note(c.get('user').id, 'person.two-factor-reset', id)
        return c.json(await accounts.get(id))
      },
    )
    .put(
      '/security',
      describeRoute({ tags, summary: 'Whether everybody needs a second factor' }),
      validate('json', Policy),
      async (c) => {
        const policy = c.req.valid('json')
        const user = c.get('user')
        // Otherwise the owner would be the first to stand outside.
        if (policy.requireTwoFactor && !(await accounts.get(user.id)).twoFactor)
          throw userError('E_TWO_FACTOR_FIRST', 'You have no second factor yourself', {
            status: 409,
            hint: 'Set one up in your account first.',
          })
        await writeSecurity(db, policy)
        await note(user.id, 'security.change', 'two-factor', policy)
        return c.json(policy)
      },
    )
}
