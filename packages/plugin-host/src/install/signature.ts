import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { userError } from '@huitou/plugin-api'
import {
  compareFiles,
  FILES_FILE,
  findFileList,
  hashAll,
  isSame,
  SIGNATURE_FILE,
  withoutSigning,
  writeFileList,
} from './file-list.ts'

/** A publisher's key that the owner of this Huitou trusts. */
export interface TrustedKey {
  publisher: string
  /** Fingerprint of `publicKey`; see {@link keyIdOf}. */
  keyId: string
  /** The 32 bytes of an ed25519 key, base64url. */
  publicKey: string
  /** When the owner added it, epoch ms. */
  addedAt: number
}

/** A key as its publisher hands it out, to be put on trust lists. */
export type PublisherKey = Omit<TrustedKey, 'addedAt'>

/** A key as its publisher keeps it. `privateKey` is base64url, like the public one. */
export interface SigningKey extends PublisherKey {
  algorithm: 'ed25519'
  privateKey: string
  /** The publisher's former key vouches for this one. */
  succeeds?: Succession
}

/** A former key's word that another one of the same publisher takes its place. */
export interface Succession {
  keyId: string
  publicKey: string
  signature: string
}

/**
 * `trusted` is signed by a key of the trust list; `unknown-publisher` is signed and whole, by a key that is not on
 * it; `broken` carries a signature that does not fit, or files that are not those that were installed.
 */
export type SignatureState = 'trusted' | 'unknown-publisher' | 'unsigned' | 'broken'

/** What a signature says about a package. */
export interface SignatureCheck {
  state: SignatureState
  publisher?: string
  keyId?: string
  /** There to be shown and trusted; only `trusted` says that the owner did. */
  publicKey?: string
  /** The former key of the same publisher that vouches for this one. */
  succeeds?: string
  /** Why it is broken, in one English sentence. */
  reason?: string
}

interface SignatureFile {
  publisher: string
  keyId: string
  algorithm: 'ed25519'
  publicKey: string
  signature: string
  succeeds?: Succession
}

/** Said before what is signed, so that no signature can be passed off as one of another kind. */
const FILES_CONTEXT = 'huitou plugin files v1\n'
const SUCCESSION_CONTEXT = 'huitou publisher key succession v1\n'
const KEY_BYTES = 32

/** A new key for `publisher`; with `former`, one that holders of the former key accept in its place. */
export function createSigningKey(publisher: string, former?: SigningKey): SigningKey {
  if (former && former.publisher !== publisher) {
    throw userError('E_KEY', `The former key belongs to "${former.publisher}", not to "${publisher}"`, {
      hint: 'A publisher hands on its own keys only.',
    })
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  const { x, d } = privateKey.export({ format: 'jwk' })
  const key = { publisher, keyId: keyIdOf(x!), publicKey: x!, algorithm: 'ed25519', privateKey: d! } as const
  if (!former) return key
  const signature = sign(null, successionText(publisher, key.publicKey), toPrivateKey(former)).toString(
    'base64url',
  )
  return { ...key, succeeds: { keyId: former.keyId, publicKey: former.publicKey, signature } }
}

/** Fingerprint of a public key: the first half of its SHA-256, hexadecimal. */
export function keyIdOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, 32)
}

/** Throws `E_KEY` unless `value` is what `huitou plugin keygen` wrote as the public half. */
export function parsePublisherKey(value: unknown): PublisherKey {
  const { publisher, keyId, publicKey } = { ...(value as Partial<PublisherKey>) }
  if (typeof publisher !== 'string' || typeof publicKey !== 'string' || !isKey(publicKey)) {
    throw userError('E_KEY', 'This is no public key of a publisher', {
      hint: 'It is the .pub.json file that huitou plugin keygen writes: publisher, keyId and publicKey.',
    })
  }
  if (keyId !== undefined && keyId !== keyIdOf(publicKey)) {
    throw userError('E_KEY', `The key's id ${keyId} does not belong to its public key`, {
      hint: 'Ask the publisher for the file once more, on another way.',
    })
  }
  return { publisher, keyId: keyIdOf(publicKey), publicKey }
}

/** Throws `E_KEY` unless `value` is a private key that `huitou plugin keygen` wrote. */
export function parseSigningKey(value: unknown): SigningKey {
  const key = { ...(value as Partial<SigningKey>) }
  const { publisher, keyId, publicKey } = parsePublisherKey(key)
  if (typeof key.privateKey !== 'string' || !isKey(key.privateKey)) {
    throw userError('E_KEY', `The key of "${publisher}" is the public half`, {
      hint: 'Sign with the .key.json file, which only the publisher has.',
    })
  }
  const whole = { publisher, keyId, publicKey, algorithm: 'ed25519', privateKey: key.privateKey } as const
  return key.succeeds ? { ...whole, succeeds: key.succeeds } : whole
}

/**
 * `files` with list and signature added, those of an earlier signature replaced. Throws `E_KEY_PUBLISHER` when the
 * manifest names another publisher than the key.
 */
export function signFiles(files: ReadonlyMap<string, Uint8Array>, key: SigningKey): Map<string, Uint8Array> {
  const publisher = publisherOf(files)
  if (publisher !== key.publisher) {
    throw userError(
      'E_KEY_PUBLISHER',
      `The plugin is by "${publisher}", the key belongs to "${key.publisher}"`,
      {
        hint: 'Sign with a key of the publisher that package.json names.',
      },
    )
  }
  const list = writeFileList(withoutSigning(hashAll(files)))
  const { keyId, algorithm, publicKey, succeeds } = key
  const signature: SignatureFile = {
    publisher: key.publisher,
    keyId,
    algorithm,
    publicKey,
    signature: sign(null, filesText(list), toPrivateKey(key)).toString('base64url'),
    ...(succeeds && { succeeds }),
  }
  return new Map(files)
    .set(FILES_FILE, list)
    .set(SIGNATURE_FILE, Buffer.from(`${JSON.stringify(signature, null, 2)}\n`))
}

/**
 * What the signature in `files` says, checked offline against `trust`. Never throws for what is in them. `hashes` are
 * those of the files, when somebody has them already.
 */
export function checkSignature(
  files: ReadonlyMap<string, Uint8Array>,
  trust: readonly TrustedKey[] = [],
  hashes = hashAll(files),
): SignatureCheck {
  const [list, signature] = [files.get(FILES_FILE), files.get(SIGNATURE_FILE)]
  if (!list && !signature) return { state: 'unsigned' }
  if (!list || !signature) return broken(`${list ? SIGNATURE_FILE : FILES_FILE} is missing`)
  const stated = findSignature(signature)
  if (!stated) return broken(`${SIGNATURE_FILE} is not a signature`)
  const { publisher, keyId, publicKey, succeeds } = stated
  if (publisher !== publisherOf(files)) return broken('It was signed for another publisher')
  if (!verify(null, filesText(list), toPublicKey(publicKey), Buffer.from(stated.signature, 'base64url'))) {
    return broken('The signature does not belong to the list of files')
  }
  const listed = findFileList(list)
  if (!listed) return broken(`${FILES_FILE} is not a list of files`)
  const difference = compareFiles(listed, withoutSigning(hashes))
  if (!isSame(difference)) {
    const [path] = [...difference.changed, ...difference.missing, ...difference.added]
    return broken(`"${path}" is not what was signed`)
  }
  const former = succeeds && isSuccession(publisher, publicKey, succeeds) ? succeeds.publicKey : undefined
  return {
    state:
      isTrusted(trust, publisher, publicKey) || (former && isTrusted(trust, publisher, former))
        ? 'trusted'
        : 'unknown-publisher',
    publisher,
    keyId,
    publicKey,
    ...(former !== undefined && { succeeds: former }),
  }
}

/** Whether `trust` holds this very key for this very publisher; ids are for people, keys are compared whole. */
export function isTrusted(trust: readonly TrustedKey[], publisher: string, publicKey: string): boolean {
  return trust.some((key) => key.publisher === publisher && key.publicKey === publicKey)
}

function broken(reason: string): SignatureCheck {
  return { state: 'broken', reason }
}

function findSignature(bytes: Uint8Array): SignatureFile | undefined {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<SignatureFile>
    const { publisher, publicKey, keyId, algorithm, signature } = value
    if (typeof publisher !== 'string' || typeof signature !== 'string' || algorithm !== 'ed25519')
      return undefined
    if (typeof publicKey !== 'string' || !isKey(publicKey) || keyId !== keyIdOf(publicKey)) return undefined
    return value as SignatureFile
  } catch {
    return undefined
  }
}

function isSuccession(publisher: string, publicKey: string, succeeds: Succession): boolean {
  if (typeof succeeds.publicKey !== 'string' || !isKey(succeeds.publicKey)) return false
  const signature = Buffer.from(String(succeeds.signature), 'base64url')
  return verify(null, successionText(publisher, publicKey), toPublicKey(succeeds.publicKey), signature)
}

function publisherOf(files: ReadonlyMap<string, Uint8Array>): unknown {
  try {
    return (
      JSON.parse(Buffer.from(files.get('package.json') ?? []).toString('utf8')) as { publisher: unknown }
    ).publisher
  } catch {
    return undefined
  }
}

function filesText(list: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(FILES_CONTEXT), list])
}

function successionText(publisher: string, publicKey: string): Buffer {
  return Buffer.from(`${SUCCESSION_CONTEXT}${publisher}\n${publicKey}\n`)
}

function isKey(value: string): boolean {
  const bytes = Buffer.from(value, 'base64url')
  return bytes.length === KEY_BYTES && bytes.toString('base64url') === value
}

function toPublicKey(publicKey: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
}

function toPrivateKey({ publicKey, privateKey }: SigningKey): KeyObject {
  return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey, d: privateKey }, format: 'jwk' })
}
