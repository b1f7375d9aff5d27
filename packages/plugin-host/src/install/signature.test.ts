import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sampleFiles } from './package-fixture.ts'
import { checkPublisher } from './publisher.ts'
import {
  checkSignature,
  createSigningKey,
  keyIdOf,
  parsePublisherKey,
  parseSigningKey,
  signFiles,
} from './signature.ts'
import type { SigningKey, TrustedKey } from './signature.ts'

const acme = createSigningKey('acme')
const trust = trusting(acme)
const signed = signFiles(sampleFiles(), acme)

test('a signature is trusted, unknown or absent by what the trust list holds', () => {
  const { publisher, keyId, publicKey } = acme
  expect(checkSignature(signed, trust)).toEqual({ state: 'trusted', publisher, keyId, publicKey })
  expect(checkSignature(signed)).toEqual({ state: 'unknown-publisher', publisher, keyId, publicKey })
  expect(checkSignature(sampleFiles(), trust)).toEqual({ state: 'unsigned' })
  // The key is on the list, for somebody else.
  expect(checkSignature(signed, [{ ...trust[0]!, publisher: 'other' }]).state).toBe('unknown-publisher')
  // The id is on the list, with another key: ids are for people.
  expect(checkSignature(signed, [{ ...trusting(createSigningKey('acme'))[0]!, keyId }]).state).toBe(
    'unknown-publisher',
  )
  expect(signFiles(signed, acme)).toEqual(signed)
})

test.each([
  {
    what: 'a changed file',
    act: (files: Map<string, Uint8Array>) => files.set('index.js', Buffer.from('evil()')),
  },
  { what: 'an added file', act: (files: Map<string, Uint8Array>) => files.set('evil.js', Buffer.from('')) },
  { what: 'a missing file', act: (files: Map<string, Uint8Array>) => files.delete('index.js') },
  {
    what: 'a list without signature',
    act: (files: Map<string, Uint8Array>) => files.delete('huitou.sig.json'),
  },
  {
    what: 'a signature without list',
    act: (files: Map<string, Uint8Array>) => files.delete('huitou.files.json'),
  },
  {
    what: 'an empty signature',
    act: (files: Map<string, Uint8Array>) => files.set('huitou.sig.json', Buffer.from('')),
  },
  {
    what: 'the key of another',
    act: (files: Map<string, Uint8Array>) => edit(files, { publicKey: createSigningKey('acme').publicKey }),
  },
  {
    what: 'the id of another',
    act: (files: Map<string, Uint8Array>) => edit(files, { keyId: createSigningKey('acme').keyId }),
  },
  { what: 'another algorithm', act: (files: Map<string, Uint8Array>) => edit(files, { algorithm: 'none' }) },
  {
    what: 'another publisher',
    act: (files: Map<string, Uint8Array>) => edit(files, { publisher: 'huitou' }),
  },
  { what: 'a signature of nothing', act: (files: Map<string, Uint8Array>) => edit(files, { signature: '' }) },
  { what: 'no texts', act: (files: Map<string, Uint8Array>) => edit(files, { publicKey: 7, signature: {} }) },
  {
    what: 'a list made to fit, with the old signature',
    act: (files: Map<string, Uint8Array>) => {
      const again = signFiles(new Map(files).set('index.js', Buffer.from('evil()')), createSigningKey('acme'))
      files.set('index.js', again.get('index.js')!).set('huitou.files.json', again.get('huitou.files.json')!)
    },
  },
])('$what breaks the signature', ({ act }) => {
  const files = new Map(signed)
  act(files)
  expect(checkSignature(files, trust)).toEqual({ state: 'broken', reason: expect.any(String) })
})

test('whatever stands in a signature, checking it gives an answer', () => {
  const text = (name: string) => Buffer.from(signed.get(name)!).toString('utf8')
  fc.assert(
    fc.property(fc.constantFrom('huitou.sig.json', 'huitou.files.json'), fc.json(), (name, json) => {
      expect(checkSignature(new Map(signed).set(name, Buffer.from(json)), trust).state).toBe('broken')
    }),
  )
  const field = fc.constantFrom('publisher', 'publicKey', 'signature', 'algorithm', 'keyId', 'succeeds')
  fc.assert(
    fc.property(field, fc.oneof(fc.jsonValue(), fc.base64String()), (name, value) => {
      const changed = { ...JSON.parse(text('huitou.sig.json')), [name]: value }
      const files = new Map(signed).set('huitou.sig.json', Buffer.from(JSON.stringify(changed)))
      // Whom the key succeeds is said beside the signature: what is wrong there counts for nothing.
      expect(checkSignature(files, trust).state).toBe(name === 'succeeds' ? 'trusted' : 'broken')
    }),
  )
  const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(anyKey, (bytes) => {
      const publicKey = Buffer.from(bytes).toString('base64url')
      const files = new Map(signed)
      edit(files, { publicKey, keyId: keyIdOf(publicKey) })
      expect(checkSignature(files, trust).state).toBe('broken')
    }),
  )
})

test('a publisher signs its own plugins only, with a private key', () => {
  expect(() => signFiles(sampleFiles({ manifest: { publisher: 'huitou' } }), acme)).toThrow(
    expect.objectContaining({ code: 'E_KEY_PUBLISHER' }),
  )
  const { publisher, keyId, publicKey } = acme
  expect(parsePublisherKey({ ...acme, addedAt: 1 })).toEqual({ publisher, keyId, publicKey })
  expect(parsePublisherKey({ publisher, publicKey })).toEqual({ publisher, keyId, publicKey })
  expect(parseSigningKey(JSON.parse(JSON.stringify(acme)))).toEqual(acme)
  expect(() => parseSigningKey({ publisher, keyId, publicKey })).toThrow('is the public half')
  for (const wrong of [
    null,
    {},
    { publisher, keyId: 'x', publicKey },
    { publisher, publicKey: 'AAAA' },
    [],
  ]) {
    expect(() => parsePublisherKey(wrong)).toThrow(expect.objectContaining({ code: 'E_KEY' }))
  }
})

test('a publisher hands on to a new key, and who trusts the former one trusts it', () => {
  const next = createSigningKey('acme', acme)
  const check = checkSignature(signFiles(sampleFiles(), next), trust)
  expect(check).toMatchObject({ state: 'trusted', keyId: next.keyId, succeeds: acme.publicKey })
  const forged = { ...createSigningKey('acme'), succeeds: next.succeeds! }
  expect(checkSignature(signFiles(sampleFiles(), forged), trust)).toMatchObject({
    state: 'unknown-publisher',
  })
  expect(() => createSigningKey('other', acme)).toThrow(expect.objectContaining({ code: 'E_KEY' }))
})

test('the name of a known publisher is for those with its key', () => {
  const candidate = (publisher: string, key?: SigningKey) => ({
    id: `${publisher}.tea`,
    publisher,
    version: '2.0.0',
    signature: checkSignature(
      key ? signFiles(sampleFiles({ manifest: { publisher } }), key) : sampleFiles(),
      trust,
    ),
  })
  const rules = { trust, reserved: ['huitou'] }
  const other = createSigningKey('acme')
  const impostor = expect.objectContaining({ code: 'E_PUBLISHER_KEY', status: 409 })
  const changed = expect.objectContaining({ code: 'E_KEY_CHANGED', status: 409 })

  checkPublisher(candidate('acme', acme), rules)
  checkPublisher(candidate('nobody'), rules)
  checkPublisher(candidate('nobody', createSigningKey('nobody')), rules)
  expect(() => checkPublisher(candidate('acme', other), rules)).toThrow(impostor)
  expect(() => checkPublisher(candidate('acme'), rules)).toThrow(impostor)
  expect(() => checkPublisher(candidate('huitou'), rules)).toThrow(impostor)
  const own = candidate('huitou', createSigningKey('huitou'))
  expect(() => checkPublisher(own, { ...rules, acceptNewKey: true })).toThrow(impostor)
  checkPublisher(candidate('acme', other), { ...rules, acceptNewKey: true })

  // Key continuity of somebody whom nobody put on the list.
  const installed = { version: '1.0.0', signature: candidate('acme', acme).signature }
  const nobodyKnown = { trust: [], reserved: [], installed }
  checkPublisher(candidate('acme', acme), nobodyKnown)
  checkPublisher(candidate('acme', createSigningKey('acme', acme)), nobodyKnown)
  const trustedLater = {
    ...candidate('acme', other),
    signature: { ...candidate('acme', other).signature, state: 'trusted' as const },
  }
  checkPublisher(trustedLater, { ...nobodyKnown, trust: trusting(other) })
  expect(() => checkPublisher(candidate('acme', other), nobodyKnown)).toThrow(changed)
  expect(() => checkPublisher(candidate('acme'), nobodyKnown)).toThrow(changed)
  checkPublisher(candidate('acme'), { ...nobodyKnown, acceptNewKey: true })
  checkPublisher(candidate('acme', other), {
    ...nobodyKnown,
    installed: { version: '1.0.0', signature: { state: 'unsigned' } },
  })

  const broken = {
    ...candidate('acme', acme),
    signature: { state: 'broken' as const, reason: 'It is not whole' },
  }
  expect(() => checkPublisher(broken, { ...rules, acceptNewKey: true })).toThrow(
    expect.objectContaining({ code: 'E_SIGNATURE' }),
  )
})

function trusting(key: SigningKey): TrustedKey[] {
  const { publisher, keyId, publicKey } = key
  return [{ publisher, keyId, publicKey, addedAt: 0 }]
}

function edit(files: Map<string, Uint8Array>, changes: Record<string, unknown>): void {
  const signature = JSON.parse(Buffer.from(files.get('huitou.sig.json')!).toString('utf8'))
  files.set('huitou.sig.json', Buffer.from(JSON.stringify({ ...signature, ...changes })))
}
