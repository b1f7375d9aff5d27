import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { normalizeEmail, normalizePhone } from './contact-forms.ts'
import { HEAD_LENGTH, Vault } from './vault.ts'

function openVault(...ids: string[]): Vault {
  const vault = new Vault()
  vault.install((ids.length > 0 ? ids : ['1']).map((id) => ({ id, material: randomBytes(64) })))
  return vault
}

const phone = fc.stringMatching(/^1[3-9]\d{9}$/)
const email = fc.emailAddress({ size: 'small' })
const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), phone, email, fc.constant('~e1t.'))
const RUNS = { numRuns: 150 }

/** Surrogate halves are no text that a database keeps. */
const isText = (value: string) => value.isWellFormed()

describe('the vault', () => {
  const vault = openVault()

  test('opens what it sealed, whatever it is', () => {
    fc.assert(
      fc.property(text.filter(isText), (value) => {
        const sealed = vault.sealText(value)
        if (value.length > 8) expect(sealed).not.toContain(value)
        expect(vault.open(sealed)).toBe(value)
      }),
      RUNS,
    )
  })

  test('JSON means the same after its parts or all of it were sealed and opened', () => {
    const names = fc.constantFrom('phone', 'address', 'note', 'receiver', 'amount', '__proto__')
    const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.constant(13_800_138_000))
    const value = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(names, tie('node'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).node
    fc.assert(
      fc.property(value, (given) => {
        const json = JSON.stringify(given)
        if (!json.isWellFormed()) return
        expect(JSON.parse(vault.open(vault.sealParts(json)))).toEqual(JSON.parse(json))
        expect(JSON.parse(vault.open(vault.sealDocument(json)))).toEqual(JSON.parse(json))
      }),
      RUNS,
    )
  })

  test('two sealed texts begin alike if and only if they are the same in their normal form', () => {
    const form = (value: string) => {
      const plain = value.normalize('NFKC').trim()
      return normalizePhone(plain) ?? normalizeEmail(plain) ?? plain
    }
    const spelled = fc.oneof(
      text,
      phone.map((digits) => `+86 ${digits}`),
      phone.map((digits) => `${digits.slice(0, 3)}-${digits.slice(3)}`),
      email.map((address) => address.toUpperCase()),
    )
    const pairs = fc.oneof(
      fc.tuple(spelled, spelled),
      phone.map((digits) => [digits, `+86${digits}`] as const),
      email.map((address) => [address, ` ${address.toUpperCase()}`] as const),
    )
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        fc.pre(a !== '' && b !== '' && isText(a) && isText(b))
        const head = (value: string) => vault.sealText(value).slice(0, HEAD_LENGTH)
        expect(head(a) === head(b)).toBe(form(a) === form(b))
        expect(vault.headsOf(a)).toContain(head(a))
      }),
      RUNS,
    )
  })

  test('seals what looks like a phone or an e-mail address, and what a telling name holds', () => {
    const json = JSON.stringify({
      userId: '13800138000',
      externalIds: [{ type: 'email', id: 'li@example.com' }],
      properties: {
        order_id: 'A-1',
        total: 12_900,
        shipping_address: { street: '南京路 1 号' },
        phone_calls: 3,
      },
      traits: { home_address: '徐家汇', mobile: 13_800_138_000, note: 'call +86 13800138000', age: 30 },
    })
    const sealed = vault.sealParts(json)
    for (const secret of ['13800138000', 'li@example.com', '南京路', '徐家汇'])
      expect(sealed).not.toContain(secret)
    expect(JSON.parse(sealed)).toMatchObject({
      properties: { order_id: 'A-1', total: 12_900, phone_calls: 3 },
      traits: { age: 30 },
    })
    expect(vault.open(sealed)).toBe(json)
  })

  test('leaves numbers, times and order numbers as they are', () => {
    const json = '{"ts":1790000000000,"order":"202611221380013800012","price":"13.80","sku":"SKU-1380"}'
    expect(vault.sealParts(json)).toBe(json)
  })

  test('a text under a changed key, or changed by somebody, stays as it is', () => {
    const sealed = vault.sealText('13800138000')
    expect(openVault().open(sealed)).toBe(sealed)
    const other = vault.sealText('13900139000')
    const mixed = other.slice(0, HEAD_LENGTH) + sealed.slice(HEAD_LENGTH)
    expect(vault.open(mixed)).toBe(mixed)
  })

  test('an older key opens, the newest seals, and both are asked for', () => {
    const older = { id: '1', material: randomBytes(64) }
    const vault = new Vault()
    vault.install([older])
    const sealed = vault.sealText('li@example.com')
    vault.install([older, { id: '2', material: randomBytes(64) }])
    expect(vault.open(sealed)).toBe('li@example.com')
    expect(vault.isStale(sealed)).toBe(true)
    expect(vault.isStale(vault.sealText('x'))).toBe(false)
    expect(vault.headsOf('LI@example.com')).toContain(sealed.slice(0, HEAD_LENGTH))
  })

  test('without keys nothing is sealed', () => {
    const closed = new Vault()
    expect(closed.sealParts('{"phone":"13800138000"}')).toBe('{"phone":"13800138000"}')
    expect(closed.sealText('x')).toBe('x')
  })
})
