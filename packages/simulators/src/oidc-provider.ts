import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import {
  openHttp,
  type HttpSimulator,
  type SimulatedAnswer,
  type SimulatedRequest,
} from './http-simulator.ts'

/** Somebody who can sign in at the provider. */
export interface OidcPerson {
  sub: string
  email: string
  name?: string
  email_verified?: boolean
}

export interface OidcProviderOptions {
  clientId: string
  clientSecret: string
  /** Addresses a browser may be sent back to; compared letter by letter. */
  redirectUris: string[]
}

/** An OpenID Connect provider that refuses whatever the standards refuse. */
export interface OidcProvider extends HttpSimulator {
  readonly discoveryUrl: string
  /** Who signs in when a browser comes next. */
  person: OidcPerson
  /** Spoils the next ID token in one way. */
  spoil: 'signature' | 'nonce' | 'audience' | 'expired' | undefined
  /** What was refused, and why. */
  readonly refusals: string[]
  redirectUris: string[]
}

interface Grant {
  person: OidcPerson
  redirectUri: string
  challenge: string
  nonce: string
}

const KEY_ID = 'key-1'
const MINUTE_S = 60

/** Starts a provider: authorisation code with PKCE (S256 only), nonce, RS256 with a published key. */
export async function openOidcProvider(options: OidcProviderOptions): Promise<OidcProvider> {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const desk: Desk = { ...options, keys, grants: new Map(), refusals: [], provider: () => provider }
  const http = await openHttp((request) => {
    const { pathname, searchParams } = new URL(request.target, 'http://provider')
    if (pathname === '/.well-known/openid-configuration') return { status: 200, body: describe(http.url) }
    if (pathname === '/jwks') {
      const key = { ...keys.publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' }
      return { status: 200, body: { keys: [key] } }
    }
    if (pathname === '/authorize') return authorize(desk, searchParams)
    if (pathname === '/token' && request.method === 'POST') return token(desk, request)
    return { status: 404, body: { error: 'not_found' } }
  })
  const provider: OidcProvider = Object.assign(http, {
    discoveryUrl: `${http.url}/.well-known/openid-configuration`,
    person: { sub: 'nobody', email: 'nobody@example.com' },
    spoil: undefined,
    refusals: desk.refusals,
    redirectUris: options.redirectUris,
  })
  return provider
}

/** What the answers of one provider share. */
interface Desk extends Pick<OidcProviderOptions, 'clientId' | 'clientSecret'> {
  keys: { publicKey: KeyObject; privateKey: KeyObject }
  grants: Map<string, Grant>
  refusals: string[]
  provider(): OidcProvider
}

function refuse({ refusals }: Desk, reason: string): SimulatedAnswer {
  refusals.push(reason)
  return { status: 400, body: { error: 'invalid_request', error_description: reason } }
}

function authorize(desk: Desk, query: URLSearchParams): SimulatedAnswer {
  const provider = desk.provider()
  const [redirectUri = '', challenge = '', state = '', nonce = ''] = [
    'redirect_uri',
    'code_challenge',
    'state',
    'nonce',
  ].map((name) => query.get(name) ?? '')
  if (query.get('client_id') !== desk.clientId) return refuse(desk, 'unknown client')
  if (!provider.redirectUris.includes(redirectUri))
    return refuse(desk, `redirect_uri ${redirectUri} is not registered`)
  if (query.get('response_type') !== 'code') return refuse(desk, 'response_type is not code')
  if (query.get('code_challenge_method') !== 'S256' || challenge.length < 43)
    return refuse(desk, 'no PKCE with S256')
  if (state.length < 16) return refuse(desk, 'state is missing or short')
  if (nonce.length < 16) return refuse(desk, 'nonce is missing or short')
  if (!(query.get('scope') ?? '').split(' ').includes('openid')) return refuse(desk, 'scope has no openid')
  const code = randomBytes(24).toString('base64url')
  desk.grants.set(code, { person: provider.person, redirectUri, challenge, nonce })
  const back = new URL(redirectUri)
  back.searchParams.set('code', code)
  back.searchParams.set('state', state)
  return { status: 302, headers: { location: back.toString() } }
}

function token(desk: Desk, { body, headers }: SimulatedRequest): SimulatedAnswer {
  const form = new URLSearchParams(Buffer.from(body).toString('utf8'))
  const code = form.get('code') ?? ''
  const grant = desk.grants.get(code)
  // A code works once, whoever brings it and however it goes.
  desk.grants.delete(code)
  const basic = Buffer.from((headers['authorization'] ?? '').replace(/^Basic /, ''), 'base64').toString(
    'utf8',
  )
  const secret = form.get('client_secret') ?? basic.slice(basic.indexOf(':') + 1)
  if (secret !== desk.clientSecret) return refuse(desk, 'wrong client secret')
  if (form.get('grant_type') !== 'authorization_code')
    return refuse(desk, 'grant_type is not authorization_code')
  if (!grant) return refuse(desk, 'unknown or used code')
  if (form.get('redirect_uri') !== grant.redirectUri) return refuse(desk, 'another redirect_uri than before')
  const verifier = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url')
  if (verifier !== grant.challenge) return refuse(desk, 'code_verifier does not fit')
  const access_token = randomBytes(16).toString('base64url')
  return {
    status: 200,
    body: { access_token, token_type: 'Bearer', expires_in: 300, id_token: idToken(desk, grant) },
  }
}

function idToken({ clientId, keys, provider: current }: Desk, { person, nonce }: Grant): string {
  const provider = current()
  const { spoil } = provider
  provider.spoil = undefined
  const now = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: provider.url,
    aud: spoil === 'audience' ? 'somebody-else' : clientId,
    iat: now,
    exp: now + (spoil === 'expired' ? -10 : 5) * MINUTE_S,
    nonce: spoil === 'nonce' ? 'another' : nonce,
    ...person,
  }
  const text = [{ alg: 'RS256', typ: 'JWT', kid: KEY_ID }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const key =
    spoil === 'signature' ? generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey : keys.privateKey
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`
}

function describe(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid', 'email', 'profile'],
  }
}
