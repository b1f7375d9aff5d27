import { userError } from '@huitou/plugin-api'
import type { SignatureCheck, TrustedKey } from './signature.ts'

/** What a package says it is, and who signed it. */
export interface Candidate {
  id: string
  publisher: string
  version: string
  signature: SignatureCheck
}

export interface PublisherRules {
  trust: readonly TrustedKey[]
  /** Publishers of bundled plugins: nobody else may use these names. */
  reserved: readonly string[]
  /** The version in use, when there is one. */
  installed?: { version: string; signature: SignatureCheck } | undefined
  /** The owner was told of another key and takes it. */
  acceptNewKey?: boolean
}

/**
 * Throws unless a package may come in under its name. `E_SIGNATURE` for one whose signature is broken,
 * `E_PUBLISHER_KEY` for one that uses the name of a publisher whose keys are known without having been signed by
 * one of them, `E_KEY_CHANGED` for an upgrade by another key than the version in use. `acceptNewKey` lets the
 * latter two pass, except under a reserved name.
 */
export function checkPublisher(candidate: Candidate, rules: PublisherRules): void {
  const { id, publisher, signature } = candidate
  if (signature.state === 'broken') {
    throw userError(
      'E_SIGNATURE',
      `The signature of ${id} ${candidate.version} is broken: ${signature.reason}`,
      {
        status: 409,
        hint: 'Download it again; when it stays so, tell the publisher and do not install it.',
        details: { id, reason: signature.reason },
      },
    )
  }
  if (signature.state === 'trusted') return
  if (rules.reserved.includes(publisher)) throw impostor(candidate, 'comes with Huitou')
  if (rules.acceptNewKey) return
  if (rules.trust.some((key) => key.publisher === publisher))
    throw impostor(candidate, 'is on your trust list')
  checkContinuity(candidate, rules.installed)
}

function checkContinuity(
  { id, version, signature }: Candidate,
  installed: PublisherRules['installed'],
): void {
  const before = installed?.signature.publicKey
  // What nobody signed before has nobody to be continued by.
  if (before === undefined) return
  if (signature.publicKey === before || signature.succeeds === before) return
  throw userError(
    'E_KEY_CHANGED',
    `${id} ${version} is ${signature.keyId ? `signed by another key, ${signature.keyId}` : 'unsigned'}, and ${installed!.version} was signed by ${installed!.signature.keyId}`,
    {
      status: 409,
      hint: 'Ask the publisher on another way whether this is right. If so, trust the new key, or accept it for this plugin.',
      details: { id, before: installed!.signature.keyId, after: signature.keyId },
    },
  )
}

function impostor({ id, publisher, signature }: Candidate, whose: string): Error {
  const how = signature.keyId
    ? `signed by a key that is not theirs, ${signature.keyId}`
    : 'not signed by them'
  return userError('E_PUBLISHER_KEY', `${id} says it is by "${publisher}", which ${whose}, and is ${how}`, {
    status: 409,
    hint: `Do not install it, unless you know from "${publisher}" themselves that the key is theirs; then trust it first.`,
    details: { id, publisher, keyId: signature.keyId },
  })
}
