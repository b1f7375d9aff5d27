/** What of the sign-in library can be reached; its other addresses answer nothing. */
export const AUTH_ROUTES: readonly (readonly ['GET' | 'POST', string])[] = [
  ['POST', '/api/auth/sign-in/email'],
  ['POST', '/api/auth/sign-in/social'],
  ['GET', '/api/auth/callback/oidc'],
  ['POST', '/api/auth/sign-out'],
  ['GET', '/api/auth/get-session'],
  ['POST', '/api/auth/two-factor/verify-totp'],
  ['POST', '/api/auth/two-factor/verify-backup-code'],
  ['POST', '/api/auth/two-factor/enable'],
  ['POST', '/api/auth/two-factor/disable'],
  ['POST', '/api/auth/two-factor/generate-backup-codes'],
]
