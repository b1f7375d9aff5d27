/** What of the sign-in library can be reached; its other addresses answer nothing. */
export const AUTH_ROUTES: readonly (readonly ['GET' | 'POST', string])[] = [
  ['POST', '/api/auth/sign-in/email'],
  ['POST', '/api/auth/sign-out'],
  ['GET', '/api/auth/get-session'],
  ['POST', '/api/auth/change-password'],
]
