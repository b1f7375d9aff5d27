import { AppError, userError } from '@huitou/plugin-api'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/database.ts'
import { audit, NOBODY } from './audit.ts'
import { forgetDevices } from './accounts.ts'
import type { AuthLibrary } from './auth.ts'
import { type Attempt, SignInAttempts } from './sign-in-attempts.ts'

interface DoorDeps {
  database: Database
  clock: Clock
  library: AuthLibrary
}

/** Addresses at which somebody signs in, and how it is told in the log. */
const WAYS: Readonly<Record<string, string>> = {
  '/sign-in/email': 'password',
  '/two-factor/verify-totp': 'code',
  '/two-factor/verify-backup-code': 'backup code',
  '/callback/oidc': 'single sign-on',
}

const CHANGES: Readonly<Record<string, string>> = {
  '/two-factor/disable': 'two-factor.off',
  '/two-factor/generate-backup-codes': 'two-factor.backup-codes',
}

const NEEDS_BODY = /^\/(?:sign-in|two-factor|change-password)(?:\/|$)/
/** What the library calls the cookie between the password and the code. */
const CHALLENGE_COOKIE = 'two_factor'
/** For how long the library hears no codes of an account after ten wrong ones. */
const LOCK_SECONDS = 15 * 60
/** Longest body that a sign-in can mean. */
const BODY_CHARS = 10_000

/**
 * Stands before the sign-in library: slows down who guesses, writes down who came in and who did not, and answers
 * failures as the rest of the API does.
 */
export function openSignInDoor({ database, clock, library: { auth, context } }: DoorDeps) {
  const { db } = database
  const attempts = new SignInAttempts(db, clock)
  const write = (userId: string, action: string, details: object) =>
    audit(db, clock, { userId, action, subject: userId, details })

  async function fail({ attempt, challenged, answer }: Passage, way: string) {
    if (attempt) await attempts.fail(attempt)
    const account = attempt && (await context.internalAdapter.findUserByEmail(attempt.account.toLowerCase()))
    const reason = refusalIn(answer)
    await write(account?.user.id ?? challenged ?? NOBODY, 'sign-in.failed', {
      way,
      ...(reason ? { reason } : {}),
    })
  }

  /** Who gave the password and is asked for a code now: a wrong one is a matter of that account. */
  async function findChallenged({ headers }: Request): Promise<string | undefined> {
    const { name } = context.createAuthCookie(CHALLENGE_COOKIE)
    const [value = ''] = (headers.get('Cookie') ?? '')
      .split(/;\s*/)
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1))
    const challenge = value.split('.', 1)[0]
    return challenge ? (await context.internalAdapter.findVerificationValue(challenge))?.value : undefined
  }

  async function note(passage: Passage) {
    const { path, asked, answer, attempt } = passage
    const way = WAYS[path]
    const action = CHANGES[path]
    if (action && answer.ok && asked) await write(asked.user.id, action, {})
    if (path === '/two-factor/disable' && answer.ok && asked) await forgetDevices({ context }, asked.user.id)
    if (!way) return
    const now = await auth.api.getSession({ headers: sessionOf(answer) })
    // Setting up a second factor asks for a code too; only a session that was not there before is a sign-in.
    if (asked && path.startsWith('/two-factor/')) {
      if (answer.ok) await write(asked.user.id, 'two-factor.on', {})
    } else if (now) {
      if (attempt) await attempts.succeed(attempt)
      await write(now.user.id, 'sign-in', { way })
    } else if (answer.status === 401 || (path.startsWith('/callback/') && refusalIn(answer))) {
      await fail(passage, way)
    }
  }

  return async (request: Request): Promise<Response> => {
    const path = new URL(request.url).pathname.replace(/^\/api\/auth/, '')
    // The library takes for granted what it reads out of the body.
    if (NEEDS_BODY.test(path) && !(await hasObject(request.clone())))
      throw userError('E_JSON', 'The body must be a JSON object')
    const attempt = path === '/sign-in/email' ? await readAttempt(request.clone()) : undefined
    const wait = attempt ? await attempts.wait(attempt) : 0
    if (wait > 0) throw tooMany(Math.ceil(wait / 1_000))
    const asked = path.startsWith('/two-factor/')
      ? await auth.api.getSession({ headers: request.headers })
      : null
    const challenged = path.startsWith('/two-factor/') && !asked ? await findChallenged(request) : undefined
    const answer = await auth.handler(request)
    await note({ path, asked, challenged, answer, attempt })
    if (answer.status < 400) return answer
    throw await toError(path, answer)
  }
}

interface Passage {
  path: string
  /** Who was signed in before. */
  asked: { user: { id: string } } | null
  /** Whose password was right, and whose code is looked at now. */
  challenged: string | undefined
  answer: Response
  attempt: Attempt | undefined
}

async function hasObject(request: Request): Promise<boolean> {
  const body: unknown = await request.json().catch(() => undefined)
  return typeof body === 'object' && body !== null && !Array.isArray(body)
}

async function readAttempt(request: Request): Promise<Attempt | undefined> {
  const text = (await request.text()).slice(0, BODY_CHARS)
  try {
    const { email } = JSON.parse(text) as { email?: unknown }
    const address = request.headers.get('X-Forwarded-For') ?? undefined
    return typeof email === 'string' ? { account: email, address } : undefined
  } catch {
    return undefined
  }
}

/** Headers of a browser that has just got this answer. */
function sessionOf(answer: Response): Headers {
  const cookies = answer.headers
    .getSetCookie()
    .filter((cookie) => /session_token=[^;]/.test(cookie) && !/max-age=0/i.test(cookie))
    .map((cookie) => cookie.split(';', 1)[0])
  return new Headers({ Cookie: cookies.join('; ') })
}

/** Why the company's sign-in let nobody in, as the library or the provider names it: `not_allowed`, `invalid_code`. */
function refusalIn(answer: Response): string | undefined {
  const said = /[?&]error=([^&]*)/.exec(answer.headers.get('Location') ?? '')?.[1]
  // The provider's words may hold anything, and nothing about a person may stand in the log.
  return said === undefined || /^[a-z_]{1,60}$/i.test(said) ? said : 'other'
}

function tooMany(seconds: number) {
  return userError('E_SIGN_IN_SLOW', 'Too many attempts failed', {
    status: 429,
    details: { seconds },
    hint: 'Wait a while, then try again.',
  })
}

async function toError(path: string, answer: Response): Promise<AppError> {
  const body = (await answer.json().catch(() => ({}))) as { code?: string; message?: string }
  const code = body.code ?? ''
  if (code === 'ACCOUNT_TEMPORARILY_LOCKED') return tooMany(LOCK_SECONDS)
  // Too many codes for this sign-in: waiting does not help, beginning again does.
  if (code === 'INVALID_TWO_FACTOR_COOKIE' || code === 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE')
    return userError('E_SIGN_IN_AGAIN', 'This sign-in took too long, or too many codes did not fit', {
      status: 401,
      hint: 'Begin again with e-mail and password.',
    })
  if (answer.status === 429) return tooMany(Number(answer.headers.get('X-Retry-After') ?? 60))
  if (code === 'INVALID_CODE' || code === 'INVALID_BACKUP_CODE')
    return userError('E_CODE_WRONG', 'This code does not fit', {
      status: 401,
      hint: 'Codes change every 30 seconds; a backup code works once.',
    })
  if (path === '/sign-in/email' && answer.status === 401)
    return userError('E_SIGN_IN_WRONG', 'E-mail or password is wrong', { status: 401 })
  if (code === 'INVALID_PASSWORD')
    return userError('E_PASSWORD_WRONG', 'This is not your present password', { status: 400 })
  return new AppError('user', 'E_SIGN_IN_REFUSED', body.message ?? 'The sign-in was refused', {
    status: answer.status,
    ...(code ? { details: { reason: code } } : {}),
  })
}
