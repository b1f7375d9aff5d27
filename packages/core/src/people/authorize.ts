import { userError } from '@huitou/plugin-api'
import type { RouterRoute } from 'hono/types'
import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import type { SignedIn } from '../http/env.ts'
import type { Auth, User } from './auth.ts'
import { may, type Permission, rolesThatMay } from './permissions.ts'
import { ROUTE_PERMISSIONS, type RouteRule } from './route-permissions.ts'

/**
 * Lets a request through to its route when the table of routes says so, and gives the handler its user. The one
 * place where this is decided: a route that the table does not know is refused whoever asks.
 */
export function authorize(
  auth: Pick<Auth, 'findUser'>,
  rules: Readonly<Record<string, RouteRule>> = ROUTE_PERMISSIONS,
) {
  return createMiddleware<SignedIn>(async (c, next) => {
    const route = matchedRoutes(c).find((matched) => isHandler(matched, rules))
    // Nothing is there; what comes after says so.
    if (!route) return await next()
    const rule = rules[`${route.method} ${route.path}`]
    if (rule === 'public') return await next()
    if (!rule) throw userError('E_FORBIDDEN', 'Nobody may call this address', { status: 403 })
    const user = await auth.findUser(c.req.raw.headers)
    if (!user) {
      throw userError('E_SIGN_IN', 'You are not signed in', { status: 401, hint: 'Sign in and try again.' })
    }
    check(user, rule)
    c.set('user', user)
    return await next()
  })
}

/** Middleware takes `next`; what answers is registered under a method, or stands in the table. */
function isHandler({ method, path, handler }: RouterRoute, rules: Readonly<Record<string, RouteRule>>) {
  return method !== 'ALL' || handler.length < 2 || `ALL ${path}` in rules
}

function check(user: User, rule: Exclude<RouteRule, 'public'>): void {
  if (rule === 'known') return
  if (rule === 'account') {
    if (!user.permissions) return
    throw userError('E_FORBIDDEN', 'A key has no account', {
      status: 403,
      hint: 'Sign in with a browser to change your account.',
    })
  }
  if (user.owes) throw debt(user.owes)
  if (rule !== 'signedIn') requirePermission(user, rule)
}

/** For handlers where what is sent decides: throws `E_FORBIDDEN` with the roles that may. */
export function requirePermission(user: User, permission: Permission): void {
  if (may(user, permission)) return
  const { role } = user
  if (user.permissions) {
    throw userError('E_FORBIDDEN', `The key "${user.name}" has not the scope ${permission}`, {
      status: 403,
      details: { permission, roles: [] },
      hint: 'Make a key with this scope, where keys may have it at all.',
    })
  }
  const roles = rolesThatMay(permission)
  throw userError('E_FORBIDDEN', `Your role "${role}" may not do this`, {
    status: 403,
    details: { permission, roles },
    hint: `It needs the role ${roles.join(' or ')}; ask an owner of this Huitou.`,
  })
}

function debt(owed: NonNullable<User['owes']>) {
  return owed === 'password'
    ? userError('E_PASSWORD_DUE', 'Your password was made by somebody else', {
        status: 403,
        hint: 'Choose one of your own in your account; everything else opens then.',
      })
    : userError('E_TWO_FACTOR_DUE', 'Everybody here needs a second factor, and you have none yet', {
        status: 403,
        hint: 'Set one up in your account; everything else opens then.',
      })
}
