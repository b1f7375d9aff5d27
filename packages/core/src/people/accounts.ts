import { randomBytes } from 'node:crypto'
import { notFound, userError } from '@huitou/plugin-api'
import type { Role } from '../http/env.ts'
import { type AuthLibrary, checkPassword, type User } from './auth.ts'
import { SSO_PROVIDER } from './single-sign-on.ts'

/** Someone who works with Huitou, as an owner sees them. */
export interface AccountView {
  id: string
  name: string
  email: string
  role: Role
  locale: string
  isActive: boolean
  twoFactor: boolean
  /** A password made by somebody else is still to be replaced. */
  passwordDue: boolean
  /** Signs in through the company's own sign-in. */
  singleSignOn: boolean
  hasPassword: boolean
  createdAt: number
  lastSeenAt: number | null
}

/** A browser that somebody is signed in with. */
export interface SessionView {
  id: string
  /** What the browser calls itself. */
  agent: string | null
  address: string | null
  createdAt: number
  lastSeenAt: number
  isCurrent: boolean
}

export interface AccountChange {
  name?: string | undefined
  locale?: string | undefined
  role?: Role | undefined
  isActive?: boolean | undefined
}

/** Accounts of people, and where they are signed in. */
export interface Accounts {
  list(): Promise<AccountView[]>
  get(id: string): Promise<AccountView>
  /** Whoever is the last owner stays one: `E_LAST_OWNER`. Who may sign in no longer is signed out everywhere. */
  change(id: string, change: AccountChange): Promise<AccountView>
  /** Whose account has this address; `E_NOT_FOUND` when nobody's has. */
  getByEmail(email: string): Promise<AccountView>
  /** Gives an account a password and ends its sessions. */
  setPassword(id: string, password: string, options: { isDue: boolean }): Promise<void>
  /** Takes away a second factor that somebody lost, and ends their sessions. */
  dropTwoFactor(id: string): Promise<void>
  /** Changes one's own password; every other session ends. The answer carries the new cookie. */
  changePassword(
    user: User,
    passwords: { current: string; next: string },
    headers: Headers,
  ): Promise<Response>
  sessions(userId: string, headers: Headers): Promise<SessionView[]>
  endSession(userId: string, session: string): Promise<void>
  endOtherSessions(userId: string, headers: Headers): Promise<number>
}

interface Row {
  id: string
  name: string
  email: string
  role?: string | null
  locale?: string | null
  disabled?: boolean | null
  passwordDue?: boolean | null
  twoFactorEnabled?: boolean | null
  createdAt: Date
}

/** A password for one sign-in, easy to read out. */
export function oneTimePassword(): string {
  return randomBytes(12).toString('base64url')
}

/**
 * Takes back every "do not ask on this device": each asks for the second factor at the next sign-in. Whoever ends
 * sessions means the devices too, and which one it was is not known.
 */
export async function forgetDevices(
  { context }: Pick<AuthLibrary, 'context'>,
  userId: string,
): Promise<void> {
  await context.adapter.deleteMany({
    model: 'verification',
    where: [
      { field: 'value', value: userId },
      { field: 'identifier', operator: 'starts_with', value: 'trust-device-' },
    ],
  })
}

export function createAccounts(library: AuthLibrary): Accounts {
  return { ...accountChanges(library), ...passwordChanges(library), ...sessionsOf(library) }
}

type Part<K extends keyof Accounts> = Pick<Accounts, K>

/** Everything about an account but how its owner proves who they are. */
function accountChanges({
  context: { internalAdapter },
}: AuthLibrary): Part<'list' | 'get' | 'getByEmail' | 'change'> {
  const row = (id: string) => getRow(internalAdapter, id)
  const view = (found: Row) => toView(internalAdapter, found)
  const rows = async () => (await internalAdapter.listUsers(1_000)) as Row[]
  const hasOwner = async () => (await rows()).some(({ role, disabled }) => role === 'owner' && !disabled)
  return {
    async list() {
      return await Promise.all((await rows()).map(view))
    },
    async get(id) {
      return await view(await row(id))
    },
    async getByEmail(email) {
      const found = await internalAdapter.findUserByEmail(email.toLowerCase())
      if (!found) throw userError('E_NOT_FOUND', 'Nobody signs in with this e-mail', { status: 404 })
      return await view(found.user as Row)
    },
    async change(id, { name, locale, role, isActive }) {
      const before = await row(id)
      await internalAdapter.updateUser(id, {
        ...(name === undefined ? {} : { name }),
        ...(locale === undefined ? {} : { locale }),
        ...(role === undefined ? {} : { role }),
        ...(isActive === undefined ? {} : { disabled: !isActive }),
      })
      // Looked at afterwards: of two owners who take the role from each other at once neither may succeed.
      if (!(await hasOwner())) {
        await internalAdapter.updateUser(id, { role: before.role, disabled: Boolean(before.disabled) })
        throw userError('E_LAST_OWNER', 'This is the only owner', {
          status: 409,
          hint: 'Make somebody else an owner first.',
        })
      }
      if (isActive === false) await internalAdapter.deleteUserSessions(id)
      return await view(await row(id))
    },
  }
}

/** How people prove who they are. */
function passwordChanges({
  auth,
  context,
}: AuthLibrary): Part<'setPassword' | 'dropTwoFactor' | 'changePassword'> {
  const { internalAdapter } = context
  return {
    async setPassword(id, password, { isDue }) {
      checkPassword(password)
      const digest = await context.password.hash(password)
      const credential = await internalAdapter.findCredentialAccount(id)
      if (credential) await internalAdapter.updatePassword(id, digest)
      else
        await internalAdapter.linkAccount({
          userId: id,
          accountId: id,
          providerId: 'credential',
          password: digest,
        })
      await internalAdapter.updateUser(id, { passwordDue: isDue })
      await internalAdapter.deleteUserSessions(id)
      await forgetDevices({ context }, id)
    },
    async dropTwoFactor(id) {
      await getRow(internalAdapter, id)
      await context.adapter.deleteMany({ model: 'twoFactor', where: [{ field: 'userId', value: id }] })
      await internalAdapter.updateUser(id, { twoFactorEnabled: false })
      await internalAdapter.deleteUserSessions(id)
      await forgetDevices({ context }, id)
    },
    async changePassword({ id }, { current, next }, headers) {
      checkPassword(next)
      const answer = await auth.api.changePassword({
        body: { currentPassword: current, newPassword: next, revokeOtherSessions: true },
        headers,
        asResponse: true,
      })
      if (!answer.ok) {
        throw userError('E_PASSWORD_WRONG', 'This is not your present password', { status: 400 })
      }
      await internalAdapter.updateUser(id, { passwordDue: false })
      await forgetDevices({ context }, id)
      return answer
    },
  }
}

/** Where people are signed in. */
function sessionsOf({ auth, context }: AuthLibrary): Part<'sessions' | 'endSession' | 'endOtherSessions'> {
  const { internalAdapter } = context
  const currentToken = async (headers: Headers) => (await auth.api.getSession({ headers }))?.session.token
  return {
    async sessions(userId, headers) {
      const token = await currentToken(headers)
      const sessions = await internalAdapter.listSessions(userId, { onlyActiveSessions: true })
      return sessions
        .map((session) => ({
          id: session.id,
          agent: session.userAgent || null,
          address: session.ipAddress || null,
          createdAt: session.createdAt.getTime(),
          lastSeenAt: session.updatedAt.getTime(),
          isCurrent: session.token === token,
        }))
        .toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || b.lastSeenAt - a.lastSeenAt)
    },
    async endSession(userId, session) {
      const found = (await internalAdapter.listSessions(userId)).find(({ id }) => id === session)
      if (!found) throw notFound('Session', session)
      await internalAdapter.deleteSession(found.token)
      await forgetDevices({ context }, userId)
    },
    async endOtherSessions(userId, headers) {
      const token = await currentToken(headers)
      const others = (await internalAdapter.listSessions(userId)).filter((session) => session.token !== token)
      for (const other of others) await internalAdapter.deleteSession(other.token)
      await forgetDevices({ context }, userId)
      return others.length
    },
  }
}

type Adapter = AuthLibrary['context']['internalAdapter']

async function getRow(adapter: Adapter, id: string): Promise<Row> {
  const found = (await adapter.findUserById(id)) as Row | null
  if (!found) throw notFound('Person', id)
  return found
}

async function toView(adapter: Adapter, found: Row): Promise<AccountView> {
  const [sessions, ways] = await Promise.all([adapter.listSessions(found.id), adapter.findAccounts(found.id)])
  const seen = sessions.map(({ updatedAt }) => updatedAt.getTime())
  return {
    id: found.id,
    name: found.name,
    email: found.email,
    role: (found.role ?? 'operator') as Role,
    locale: found.locale ?? 'zh-CN',
    isActive: !found.disabled,
    twoFactor: Boolean(found.twoFactorEnabled),
    passwordDue: Boolean(found.passwordDue),
    singleSignOn: ways.some(({ providerId }) => providerId === SSO_PROVIDER),
    hasPassword: ways.some(({ providerId }) => providerId === 'credential'),
    createdAt: found.createdAt.getTime(),
    lastSeenAt: seen.length > 0 ? Math.max(...seen) : null,
  }
}
