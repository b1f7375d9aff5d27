import { userError } from '@huitou/plugin-api'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import type { Database } from '../db/database.ts'
import type { Role } from '../http/env.ts'
import type { Permission } from './permissions.ts'

/** Someone who works with Huitou. */
export interface User {
  id: string
  name: string
  email: string
  role: Role
  locale: string
  /** Scopes of an API key; what a person may do comes from the role. */
  permissions?: readonly Permission[]
}

export interface NewUser {
  name: string
  email: string
  password: string
  role: Role
  locale: string
}

/** People and their sessions. */
export interface Auth {
  /** Answers `/api/auth/*`: sign-in, sign-out, session, password change. */
  handler(request: Request): Promise<Response>
  /** Who sent the request, by its session cookie. */
  findUser(headers: Headers): Promise<User | undefined>
  hasUsers(): Promise<boolean>
  /** Makes an account. An e-mail that is taken is `E_USER_EXISTS`. */
  createUser(user: NewUser): Promise<User>
  /** Signs in and returns the answer that carries the session cookie. */
  signIn(credentials: { email: string; password: string }, headers: Headers): Promise<Response>
  setPassword(email: string, password: string): Promise<void>
  listUsers(): Promise<User[]>
}

export const PASSWORD_MIN = 10

export interface AuthOptions {
  database: Database
  /** Signs cookies; at least 32 random characters, the same on every node. */
  secret: string
  /** Address people reach this server under, for instance `https://crm.example.com`. */
  publicUrl?: string
}

export async function createAuth({ database, secret, publicUrl }: AuthOptions): Promise<Auth> {
  const { db, engine } = database
  const auth = betterAuth({
    database: { db, type: engine },
    secret,
    ...(publicUrl ? { baseURL: publicUrl } : {}),
    basePath: '/api/auth',
    // The page and the API share an origin, whatever name the server is reached by.
    trustedOrigins: (request?: Request) => (request ? [new URL(request.url).origin] : []),
    emailAndPassword: { enabled: true, minPasswordLength: PASSWORD_MIN, maxPasswordLength: 200 },
    user: {
      additionalFields: {
        role: { type: 'string', required: true, defaultValue: 'operator', input: false },
        locale: { type: 'string', required: true, defaultValue: 'zh-CN', input: true },
      },
    },
    session: { expiresIn: 14 * 24 * 3_600, updateAge: 24 * 3_600 },
    rateLimit: {
      enabled: true,
      window: 60,
      max: 300,
      customRules: { '/sign-in/email': { window: 60, max: 10 } },
    },
    advanced: { cookiePrefix: 'huitou' },
    telemetry: { enabled: false },
    logger: { disabled: true },
  })
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
  const context = await auth.$context

  async function createUser({ name, email, password, role, locale }: NewUser): Promise<User> {
    if (password.length < PASSWORD_MIN) {
      throw userError('E_PASSWORD_SHORT', `A password needs at least ${PASSWORD_MIN} characters`)
    }
    if (await context.internalAdapter.findUserByEmail(email)) {
      throw userError('E_USER_EXISTS', 'Someone signs in with this e-mail already', { status: 409 })
    }
    const user = await context.internalAdapter.createUser(
      { name, email: email.toLowerCase(), role, locale, emailVerified: true },
      { method: 'admin' },
    )
    await context.internalAdapter.linkAccount({
      userId: user.id,
      accountId: user.id,
      providerId: 'credential',
      password: await context.password.hash(password),
    })
    return toUser(user)
  }

  return {
    handler: (request) => auth.handler(request),
    async findUser(headers) {
      const session = await auth.api.getSession({ headers })
      return session ? toUser(session.user) : undefined
    },
    async hasUsers() {
      return (await context.internalAdapter.countTotalUsers()) > 0
    },
    createUser,
    async signIn(credentials, headers) {
      return await auth.api.signInEmail({ body: credentials, headers, asResponse: true })
    },
    async setPassword(email, password) {
      if (password.length < PASSWORD_MIN)
        throw userError('E_PASSWORD_SHORT', `A password needs at least ${PASSWORD_MIN} characters`)
      const found = await context.internalAdapter.findUserByEmail(email)
      if (!found) throw userError('E_NOT_FOUND', 'Nobody signs in with this e-mail', { status: 404 })
      await context.internalAdapter.updatePassword(found.user.id, await context.password.hash(password))
      await context.internalAdapter.deleteUserSessions(found.user.id)
    },
    async listUsers() {
      return (await context.internalAdapter.listUsers(1_000)).map(toUser)
    },
  }
}

function toUser(row: { id: string; name: string; email: string } & Record<string, unknown>): User {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    role: (row['role'] as Role | undefined) ?? 'operator',
    locale: (row['locale'] as string | undefined) ?? 'zh-CN',
  }
}
