import { randomUUID } from 'node:crypto'
import { userError } from '@huitou/plugin-api'
import { betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { getMigrations } from 'better-auth/db/migration'
import { genericOAuth, twoFactor } from 'better-auth/plugins'
import { type Clock, systemClock } from '../clock.ts'
import type { Database } from '../db/database.ts'
import { oneAtATime } from '../db/one-at-a-time.ts'
import type { Role } from '../http/env.ts'
import { type Accounts, createAccounts } from './accounts.ts'
import { ApiKeys } from './api-keys.ts'
import type { Permission } from './permissions.ts'
import { readBrand } from '../settings/brand.ts'
import { readSecurity } from './security-policy.ts'
import { openSignInDoor } from './sign-in-door.ts'
import {
  type SingleSignOn,
  SSO_CLOSED,
  SSO_PROVIDER,
  ssoProvider,
  validateSsoUser,
} from './single-sign-on.ts'

/** Someone who works with Huitou, or a key in the name of the installation. */
export interface User {
  id: string
  name: string
  email: string
  role: Role
  locale: string
  /** Scopes of an API key; what a person may do comes from the role. */
  permissions?: readonly Permission[]
  /** What a person has to settle before anything else: a password of their own, a second factor. */
  owes?: 'password' | 'twoFactor'
}

export interface NewUser {
  name: string
  email: string
  password: string
  role: Role
  locale: string
  /** The password was chosen by somebody else and has to be replaced at the first sign-in. */
  passwordDue?: boolean
}

/** People, their sessions, and the keys of programs. */
export interface Auth {
  /** Answers what is reachable of `/api/auth/*`: sign-in, sign-out, second factor, single sign-on. */
  handler(request: Request): Promise<Response>
  /** Who sent the request, by the API key or else by the session cookie. */
  findUser(headers: Headers): Promise<User | undefined>
  hasUsers(): Promise<boolean>
  /** Makes an account. An e-mail that is taken is `E_USER_EXISTS`. */
  createUser(user: NewUser): Promise<User>
  /** Signs in and returns the answer that carries the session cookie. */
  signIn(credentials: { email: string; password: string }, headers: Headers): Promise<Response>
  /** People who may sign in. */
  listUsers(): Promise<User[]>
  readonly accounts: Accounts
  readonly keys: ApiKeys
  /** What the sign-in page calls the company's own sign-in, where there is one. */
  readonly singleSignOn: { name: string } | undefined
}

export const PASSWORD_MIN = 10
/** A session nobody uses ends after this; each use begins it anew. */
const SESSION_SECONDS = 7 * 24 * 3_600

export interface AuthOptions {
  database: Database
  clock?: Clock
  /** Signs cookies; at least 32 random characters, the same on every node. */
  secret: string
  /** Address people reach this server under, for instance `https://crm.example.com`. */
  publicUrl?: string
  singleSignOn?: SingleSignOn | undefined
}

export type AuthLibrary = Awaited<ReturnType<typeof openLibrary>>

/** The sign-in library as Huitou uses it, its tables brought up to date. */
async function openLibrary({ database, secret, publicUrl, singleSignOn }: AuthOptions) {
  const { db, engine } = database
  const auth = betterAuth({
    appName: 'Huitou',
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
        disabled: { type: 'boolean', required: false, defaultValue: false, input: false },
        passwordDue: { type: 'boolean', required: false, defaultValue: false, input: false },
      },
      validateUserInfo: ({ user, source }) => validateSsoUser(singleSignOn, user, source),
    },
    account: { accountLinking: { enabled: true, trustedProviders: [] }, encryptOAuthTokens: true },
    session: { expiresIn: SESSION_SECONDS, updateAge: 3_600 },
    databaseHooks: {
      user: {
        create: {
          // Nobody chooses their own role: whoever comes through the company's sign-in gets the one set for that.
          before: async (user, context) =>
            context?.path?.startsWith('/callback') && singleSignOn
              ? { data: { ...user, role: singleSignOn.role, locale: (await readBrand(db)).locale } }
              : { data: user },
        },
      },
      session: {
        create: {
          before: async (session, context) => {
            const user = await auth.$context.then(({ internalAdapter }) =>
              internalAdapter.findUserById(session.userId),
            )
            if (user && !(user as { disabled?: boolean | null }).disabled) return
            // The company vouches for who this is; a password is told like a wrong one, for that is nobody's business.
            throw context?.path?.startsWith('/callback')
              ? new APIError('UNAUTHORIZED', { code: SSO_CLOSED, message: 'The account is closed' })
              : new APIError('UNAUTHORIZED', {
                  code: 'INVALID_EMAIL_OR_PASSWORD',
                  message: 'Invalid email or password',
                })
          },
        },
      },
    },
    plugins: [
      twoFactor({ issuer: 'Huitou', allowPasswordless: false }),
      ...(singleSignOn ? [genericOAuth({ config: [ssoProvider(singleSignOn)] })] : []),
    ],
    onAPIError: { errorURL: '/sign-in' },
    // The door in front counts failures by account and by address, on every node; this only ends floods.
    rateLimit: {
      enabled: true,
      window: 60,
      max: 600,
      customRules: {
        '/sign-in/email': { window: 60, max: 120 },
        '/sign-in/social': { window: 60, max: 120 },
        // Colleagues share an office's address. Guesses are counted by sign-in (5) and by account (10), not by address.
        '/two-factor/verify-*': { window: 60, max: 120 },
      },
    },
    advanced: { cookiePrefix: 'huitou' },
    telemetry: { enabled: false },
    logger: { disabled: true },
  })
  await oneAtATime(database, async () => {
    const { runMigrations } = await getMigrations(auth.options)
    await runMigrations()
  })
  return { auth, context: await auth.$context }
}

export async function createAuth(options: AuthOptions): Promise<Auth> {
  const { database, clock = systemClock, singleSignOn } = options
  const library = await openLibrary(options)
  const { auth, context } = library
  const keys = new ApiKeys(database.db, clock)
  const accounts = createAccounts(library)

  async function createUser({
    name,
    email,
    password,
    role,
    locale,
    passwordDue = false,
  }: NewUser): Promise<User> {
    checkPassword(password)
    if (await context.internalAdapter.findUserByEmail(email)) {
      throw userError('E_USER_EXISTS', 'Someone signs in with this e-mail already', { status: 409 })
    }
    // Whoever comes through somebody else's sign-in is looked at first; this one was asked in. One transaction for both.
    const id = randomUUID()
    const made = await context.internalAdapter.createOAuthUser(
      // The library takes an id and does not say so.
      { id, name, email: email.toLowerCase(), role, locale, passwordDue, emailVerified: true } as NewRow,
      {
        accountId: id,
        providerId: 'credential',
        password: await context.password.hash(password),
      },
    )
    const user = made.user as unknown as Parameters<typeof toUser>[0]
    return toUser(user)
  }

  return {
    handler: openSignInDoor({ database, clock, library }),
    async findUser(headers) {
      const bearer = /^Bearer\s+(\S+)$/i.exec(headers.get('Authorization') ?? '')?.[1]
      // Who sends a key is that key, whatever cookie comes along.
      if (bearer !== undefined) return await keys.find(bearer)
      const session = await auth.api.getSession({ headers })
      if (!session || session.user.disabled) return undefined
      const user = toUser(session.user)
      const owes = await whatIsOwed(session.user)
      return owes ? { ...user, owes } : user
    },
    async hasUsers() {
      return (await context.internalAdapter.countTotalUsers()) > 0
    },
    createUser,
    async signIn(credentials, headers) {
      return await auth.api.signInEmail({ body: credentials, headers, asResponse: true })
    },
    async listUsers() {
      const users = await context.internalAdapter.listUsers(1_000)
      return users.filter((user) => !(user as { disabled?: boolean | null }).disabled).map(toUser)
    },
    accounts,
    keys,
    singleSignOn: singleSignOn && { name: singleSignOn.name },
  }

  async function whatIsOwed(user: {
    id: string
    passwordDue?: boolean | null | undefined
    twoFactorEnabled?: boolean | null | undefined
  }): Promise<User['owes']> {
    if (user.passwordDue) return 'password'
    if (user.twoFactorEnabled || !(await readSecurity(database.db)).requireTwoFactor) return undefined
    // Whoever has no password here signs in elsewhere, and is asked for a second factor there.
    const accountsOfUser = await context.internalAdapter.findAccounts(user.id)
    return accountsOfUser.some(({ providerId }) => providerId !== SSO_PROVIDER) ? 'twoFactor' : undefined
  }
}

export function checkPassword(password: string): void {
  if (password.length >= PASSWORD_MIN) return
  throw userError('E_PASSWORD_SHORT', `A password needs at least ${PASSWORD_MIN} characters`)
}

type NewRow = Parameters<AuthLibrary['context']['internalAdapter']['createOAuthUser']>[0]

function toUser(row: { id: string; name: string; email: string } & Record<string, unknown>): User {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    role: (row['role'] as Role | undefined) ?? 'operator',
    locale: (row['locale'] as string | undefined) ?? 'zh-CN',
  }
}
