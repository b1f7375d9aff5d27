import { expect, test } from 'vitest'
import { isPrivateKey, readPublisherFile } from './publisher-key.ts'

test('the public half of a key is read', () => {
  expect(
    readPublisherFile('{"publisher":"acme","publicKey":"abc","keyId":"12","algorithm":"ed25519"}'),
  ).toEqual({ publisher: 'acme', publicKey: 'abc', keyId: '12' })
})

test('anything else is not', () => {
  for (const text of ['', 'acme', 'null', '[]', '{"publisher":"acme"}', '{"publisher":1,"publicKey":"a"}'])
    expect(readPublisherFile(text)).toBeUndefined()
})

test('a private key is recognised before it is sent anywhere', () => {
  expect(isPrivateKey('{"publisher":"acme","privateKey":"secret"}')).toBe(true)
  expect(isPrivateKey('{"publisher":"acme","publicKey":"abc"}')).toBe(false)
})
