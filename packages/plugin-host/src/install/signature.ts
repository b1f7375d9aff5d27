/** A publisher's key that the owner of this Huitou trusts. */
export interface TrustedKey {
  publisher: string
  /** Fingerprint of `publicKey`; see `keyIdOf`. */
  keyId: string
  /** The 32 bytes of an ed25519 key, base64url. */
  publicKey: string
  /** When the owner added it, epoch ms. */
  addedAt: number
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
  /** Why it is broken, in one English sentence. */
  reason?: string
}
