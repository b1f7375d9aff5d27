import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'
import { readFile, send } from './http.ts'

export type AccountList = InferResponseType<typeof api.people.accounts.$get>
/** Someone who works with Huitou, as an owner sees them. */
export type PersonAccount = AccountList['accounts'][number]
export type NewPerson = InferRequestType<typeof api.people.accounts.$post>['json']
export type PersonChange = InferRequestType<(typeof api.people.accounts)[':id']['$put']>['json']
export type OwnAccount = InferResponseType<typeof api.account.$get>
export type BrowserSession = InferResponseType<typeof api.account.sessions.$get>['sessions'][number]
export type ApiKeyList = InferResponseType<(typeof api.settings)['api-keys']['$get']>
export type ApiKey = ApiKeyList['apiKeys'][number]
/** A key with its clear text, which only the answer that made it holds. */
export type MadeApiKey = Awaited<ReturnType<typeof createApiKey>>
export type NewApiKey = InferRequestType<(typeof api.settings)['api-keys']['$post']>['json']
export type AuditPage = InferResponseType<typeof api.audit.$get>
export type AuditEntry = AuditPage['entries'][number]

export const listAccounts = (signal?: AbortSignal) => read(api.people.accounts.$get({}, until(signal)))
export const addAccount = (person: NewPerson) => read(api.people.accounts.$post({ json: person }))
export const changeAccount = (id: string, change: PersonChange) =>
  read(api.people.accounts[':id'].$put({ ...at(id), json: change }))
/** A password for one sign-in, told this once. */
export const resetPassword = (id: string) => read(api.people.accounts[':id'].password.$post(at(id)))
export const dropTwoFactor = (id: string) => read(api.people.accounts[':id']['two-factor'].$delete(at(id)))
export const saveSecurity = (requireTwoFactor: boolean) =>
  read(api.people.security.$put({ json: { requireTwoFactor } }))

export const getAccount = (signal?: AbortSignal) => read(api.account.$get({}, until(signal)))
export const saveAccount = (change: { name?: string; locale?: 'zh-CN' | 'en' }) =>
  read(api.account.$put({ json: change }))
export const changePassword = (current: string, next: string) =>
  done(api.account.password.$post({ json: { current, next } }))
export const listSessions = (signal?: AbortSignal) => read(api.account.sessions.$get({}, until(signal)))
export const endSession = (id: string) => done(api.account.sessions[':id'].$delete(at(id)))
export const endOtherSessions = () => read(api.account.sessions.$delete())

export const listApiKeys = (signal?: AbortSignal) => read(api.settings['api-keys'].$get({}, until(signal)))
export const createApiKey = (key: NewApiKey) => read(api.settings['api-keys'].$post({ json: key }))
export const revokeApiKey = (id: string) => done(api.settings['api-keys'][':id'].$delete(at(id)))

export interface AuditQuery {
  user?: string
  action?: string
  from?: string
  until?: string
  before?: string
}
export const listAudit = (query: AuditQuery, signal?: AbortSignal) =>
  read(api.audit.$get({ query }, until(signal)))
export const listAuditActions = (signal?: AbortSignal) => read(api.audit.actions.$get({}, until(signal)))
export const verifyAudit = () => read(api.audit.verify.$post())
export const exportAudit = async (query: Omit<AuditQuery, 'before'>, reason: string) =>
  await readFile((await api.audit.export.$post({ json: { ...query, reason } })) as unknown as Response)

/** Routes of the sign-in library, which the typed client does not know. */
async function ask<T>(path: string, body: object): Promise<T> {
  const answer = await send(`/api/auth/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  return (await answer.json()) as T
}

/** Signs in; true when a code is still wanted. */
export async function signIn(email: string, password: string): Promise<boolean> {
  const answer = await ask<{ twoFactorRedirect?: boolean }>('sign-in/email', {
    email,
    password,
    rememberMe: true,
  })
  return answer.twoFactorRedirect === true
}
export const signInWithCode = (code: string, trustDevice: boolean) =>
  ask<object>('two-factor/verify-totp', { code, trustDevice })
export const signInWithBackupCode = (code: string) => ask<object>('two-factor/verify-backup-code', { code })
/** Address of the company's own sign-in; the browser comes back to `place`. */
export const beginSingleSignOn = async (place: string): Promise<string> =>
  (
    await ask<{ url: string }>('sign-in/social', {
      provider: 'oidc',
      callbackURL: place,
      errorCallbackURL: '/sign-in',
      disableRedirect: true,
    })
  ).url
export const beginTwoFactor = (password: string) =>
  ask<{ totpURI: string; backupCodes: string[] }>('two-factor/enable', { password })
export const confirmTwoFactor = (code: string) => ask<object>('two-factor/verify-totp', { code })
export const endTwoFactor = (password: string) => ask<object>('two-factor/disable', { password })
export const renewBackupCodes = (password: string) =>
  ask<{ backupCodes: string[] }>('two-factor/generate-backup-codes', { password })
