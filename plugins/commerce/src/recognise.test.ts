import { expect, test } from 'vitest'
import { FIELD_IDS } from './fields.ts'
import { knownFormats } from './formats/known.ts'
import manifest from '../package.json' with { type: 'json' }
import { recogniseOrders } from './recognise.ts'

const brand = { currency: 'EUR', timeZone: 'Europe/Berlin' }

function recognise(head: string, ...lines: string[]) {
  const rows = lines.map((line, index) => ({ row: index + 2, cells: line.split('|') }))
  return recogniseOrders({ fileName: 'file.csv', headers: head.split(','), rows }, brand)
}

test.each(knownFormats.map((format) => [format.id, format] as const))(
  'a file with every heading of %s is recognised',
  (id, format) => {
    const headings = [...new Set([...format.fingerprints[0]!, ...Object.values(format.fields).flat()])]
    const [best] = recognise(headings.map((heading) => ` ${heading} `).join(','))
    expect(best!.format).toBe(id)
    expect(best!.confidence).toBeGreaterThanOrEqual(0.9)
  },
)

test.each([
  [
    '订单编号,买家会员名,买家支付宝账号,支付单号,买家应付货款,买家应付邮费,总金额,买家实付金额,订单状态,收货地址,联系手机,订单创建时间,订单付款时间,商品标题',
    'tmall-orders',
  ],
  ['订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额', 'tmall-report'],
  [
    '子订单编号,主订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码',
    'tmall-items',
  ],
  [
    '订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,订单状态,订单类型,下单帐号',
    'jd-orders',
  ],
  [
    '主订单编号,子订单编号,选购商品,商品规格,商品数量,订单应付金额,收件人,收件人手机号,订单提交时间,订单状态',
    'douyin-orders',
  ],
  [
    '订单号,销售渠道,归属店铺,订单状态,订单创建时间,订单实付金额,全部商品名称,收货人/提货人,分销员,订单退款状态,分销员',
    'youzan-orders',
  ],
])('%s comes from %s', (head, format) => {
  expect(recognise(head)[0]!.format).toBe(format)
})

test("other files are guessed by headings in either language, and keep the brand's currency and zone", () => {
  const [english] = recognise(
    'Order Number,Order Date,Billing Email,Order Total,Item',
    '1|2026-01-02|a@example.com|12.00|Tea',
  )
  expect(english!.mapping).toMatchObject({
    format: 'generic',
    fields: { order_id: [0], created_at: [1], email: [2], total: [3], product_name: [4] },
    options: { currency: 'EUR', timeZone: 'Europe/Berlin' },
  })
  expect(english!.doubts).toEqual([])
  const [chinese] = recognise('单号,下单日期,会员手机号,实付款', '1|2026-01-02|13800001111|12.00')
  expect(chinese!.mapping.fields).toEqual({ order_id: [0], created_at: [1], phone: [2], total: [3] })
})

test('a heading that only resembles a field, and a column known by its values alone, are doubted', () => {
  const [guess] = recognise(
    '订单号,客户手机号（加密前）,实付金额(元),x',
    '1|13800001111|12.00|2026-01-02 10:00',
  )
  expect(guess!.mapping.fields).toEqual({ order_id: [0], phone: [1], total: [2], created_at: [3] })
  expect(guess!.doubts.map(({ column }) => column).sort()).toEqual([1, 2, 3])
})

test('a column whose values contradict its heading is not used', () => {
  const [guess] = recognise('order id,date,total,email', '1|2026-01-02|12.00|yes', '2|2026-01-03|13.00|no')
  expect(guess!.mapping.fields.email).toBeUndefined()
})

test('day and month are told apart by the column, or doubted', () => {
  const [clear] = recognise('order id,date,total,customer id', '1|3/4/2026|12.00|a', '2|25/4/2026|13.00|b')
  expect(clear!.mapping.options.dateOrder).toBe('dmy')
  expect(clear!.doubts).toEqual([])
  const [unclear] = recognise('order id,date,total,customer id', '1|3/4/2026|12.00|a')
  expect(unclear!.doubts).toMatchObject([{ column: 1 }])
})

test('a file without times or amounts is no list of orders', () => {
  expect(recognise('id,name', '1|Ann')).toEqual([])
})

test('the manifest titles every field, and no other', () => {
  expect(manifest.contributes.sources[0]!.fields.map(({ id }) => id)).toEqual([...FIELD_IDS])
})
