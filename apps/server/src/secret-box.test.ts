import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSecretBox } from './secret-box.ts'

const box = createSecretBox('one secret of an installation')

test('what is sealed opens again, looks different every time, and never shows the text', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4 }), (text) => {
      const sealed = box.seal(text)
      expect(box.open(sealed)).toBe(text)
      expect(box.seal(text)).not.toBe(sealed)
      expect(box.isSealed(sealed)).toBe(true)
    }),
  )
})

test('another secret, or a changed byte, opens nothing', () => {
  const sealed = box.seal('shpss_123')
  expect(() => createSecretBox('another').open(sealed)).toThrow(
    expect.objectContaining({ code: 'E_SECRET_SEALED' }) as Error,
  )
  const changed = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`
  expect(() => box.open(changed)).toThrow(expect.objectContaining({ code: 'E_SECRET_SEALED' }) as Error)
})
