import type { GenericOAuthConfig } from 'better-auth/plugins'
import type { Role } from '../http/env.ts'

/** The company's own sign-in, by OpenID Connect. */
export interface SingleSignOn {
  /** What its button is called. */
  name: string
  /** Address of the provider's `/.well-known/openid-configuration`. */
  discoveryUrl: string
  clientId: string
  clientSecret: string
  /** E-mail domains whose people get an account at their first sign-in; others need one beforehand. */
  domains: readonly string[]
  /** Role of accounts that are made that way. */
  role: Role
}

export const SSO_PROVIDER = 'oidc'

/** Codes that end in the sign-in page's address. */
export const SSO_UNVERIFIED = 'email_not_verified'
export const SSO_NOT_ALLOWED = 'not_allowed'
export const SSO_CLOSED = 'account_closed'

/** Code flow with PKCE and a nonce; what the provider says is believed only when its ID token is signed by its keys. */
export function ssoProvider({ name, discoveryUrl, clientId, clientSecret }: SingleSignOn) {
  const provider: GenericOAuthConfig = {
    providerId: SSO_PROVIDER,
    name,
    discoveryUrl,
    clientId,
    clientSecret,
    scopes: ['openid', 'email', 'profile'],
    pkce: true,
    requireIdTokenVerification: true,
    // Leaving Huitou does not end what else is open at the provider.
    disableProviderLogout: true,
    mapProfileToUser: (profile) => ({
      name: String(profile['name'] || profile['preferred_username'] || profile.email || ''),
      emailVerified: profile['email_verified'] === true || profile['email_verified'] === 'true',
    }),
  }
  return provider
}

interface Source {
  method: string
  action: string
}

/** Refuses whoever the provider does not vouch for, and strangers of other domains. */
export function validateSsoUser(
  sso: SingleSignOn | undefined,
  user: { email?: string | null | undefined; emailVerified?: boolean | null | undefined },
  { method, action }: Source,
): { error: string } | undefined {
  if (method !== 'oauth') return undefined
  if (!sso || !user.email || user.emailVerified !== true) return { error: SSO_UNVERIFIED }
  if (action !== 'create-user') return undefined
  const domain = user.email.slice(user.email.lastIndexOf('@') + 1).toLowerCase()
  return sso.domains.some((allowed) => allowed.toLowerCase() === domain)
    ? undefined
    : { error: SSO_NOT_ALLOWED }
}
