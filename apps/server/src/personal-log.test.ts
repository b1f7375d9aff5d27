import { expect, test } from 'vitest'
import { withoutPersonalData } from './personal-log.ts'

test('phones, addresses and names do not get into the log', () => {
  expect(
    withoutPersonalData({
      message: 'sent to 13800138000, +8613900139000 and li.lei@example.com; order 202611210001380013800',
      facts: { phone: '1', receiver_name: 'Li', order: 5, list: [{ email: 'a@b.cn', sku: 'x' }] },
    }),
  ).toEqual({
    message: 'sent to 138****8000, +86139****9000 and ***@***; order 202611210001380013800',
    facts: { phone: '***', receiver_name: '***', order: 5, list: [{ email: '***', sku: 'x' }] },
  })
})
