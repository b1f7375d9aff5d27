import fc from 'fast-check'
import type { Conversion, Mapping, Recognition, RowGroup, SourceEvent, SourceRow } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { createOrdersSource } from './source.ts'

const source = createOrdersSource({ currency: 'CNY', timeZone: 'Asia/Shanghai' })

interface Table {
  headers: string[]
  rows: SourceRow[]
}

function table(head: string, ...lines: string[]): Table {
  return {
    headers: head.split(','),
    rows: lines.map((line, index) => ({ row: index + 2, cells: line.split('|') })),
  }
}

async function recognise({ headers, rows }: Table): Promise<Recognition> {
  const [best] = await source.recognise({ fileName: 'orders.csv', headers, rows })
  return best!
}

async function groupsOf({ headers, rows }: Table, mapping: Mapping): Promise<RowGroup[]> {
  const keys = await source.groupKeys(rows, mapping, headers)
  const groups = new Map<string, RowGroup>()
  rows.forEach((row, index) => {
    const key = keys[index] ?? `row ${row.row}`
    groups.set(key, { key, rows: [...(groups.get(key)?.rows ?? []), row] })
  })
  return [...groups.values()]
}

async function convert(from: Table, options: Mapping['options'] = {}): Promise<Conversion> {
  const { mapping } = await recognise(from)
  const settled = { ...mapping, options: { ...mapping.options, ...options } }
  return source.convert(await groupsOf(from, settled), settled, from.headers)
}

const names = ({ events }: Conversion) => events.map((event) => event.event ?? event.type)
const named = ({ events }: Conversion, name: string) =>
  events.filter((event) => (event.event ?? event.type) === name)
const shanghai = (text: string) =>
  Temporal.PlainDateTime.from(text.replace(' ', 'T')).toZonedDateTime('Asia/Shanghai').epochMilliseconds

const tmallHead =
  '订单编号,买家会员名,买家应付货款,买家应付邮费,总金额,买家实际支付金额,订单状态,收货人姓名,收货地址,联系手机,订单创建时间,订单付款时间,宝贝标题,宝贝总数量,店铺名称,订单关闭原因'
const tmallRow = (
  parts: Partial<Record<'id' | 'buyer' | 'total' | 'paid' | 'status' | 'phone' | 'paidAt', string>> = {},
) =>
  [
    parts.id ?? '="1930679858170647"',
    parts.buyer ?? '小明',
    '100.00',
    '0.00',
    parts.total ?? '100.00',
    parts.paid ?? '90.00',
    parts.status ?? '交易成功',
    '王五',
    '浙江省 杭州市 西湖区 某路',
    parts.phone ?? "'18618486065",
    '2026-01-02 10:00:00',
    parts.paidAt ?? '2026-01-02 10:05:00',
    '面膜',
    '2',
    '某旗舰店',
    '',
  ].join('|')

test('a Tmall order becomes a customer with traits and the life of the order', async () => {
  const conversion = await convert(table(tmallHead, tmallRow()))
  expect(names(conversion)).toEqual(['identify', 'order.created', 'order.paid', 'order.completed'])
  expect(conversion.problems).toEqual([])
  const [who, created, paid] = conversion.events
  expect(who).toMatchObject({
    externalIds: [
      { type: 'buyer_id:tmall', id: '小明' },
      { type: 'phone', id: '+8618618486065' },
    ],
    traits: { name: '王五', phone: '+8618618486065', province: '浙江省', city: '杭州市' },
    timestamp: shanghai('2026-01-02 10:00:00'),
  })
  expect(created!.properties).toMatchObject({
    order_id: '1930679858170647',
    shop: 'tmall',
    status: '交易成功',
    total: 90,
  })
  expect(paid).toMatchObject({
    timestamp: shanghai('2026-01-02 10:05:00'),
    properties: {
      order_id: '1930679858170647',
      platform: 'tmall',
      currency: 'CNY',
      total: 90,
      items: [{ name: '面膜', quantity: 2 }],
    },
  })
  expect(paid!.userId).toBeUndefined()
  expect(JSON.stringify(conversion.events)).not.toContain('某路')
})

test.each([
  [{ status: '等待买家付款', paidAt: '', paid: '0.00' }, ['identify', 'order.created']],
  [{ status: '买家已付款，等待卖家发货' }, ['identify', 'order.created', 'order.paid']],
  [{ status: '卖家已发货，等待买家确认' }, ['identify', 'order.created', 'order.paid', 'order.shipped']],
  [{ status: '交易关闭', paidAt: '', paid: '0.00' }, ['identify', 'order.created', 'order.closed']],
  [
    { status: '交易关闭', paid: '0.00' },
    ['identify', 'order.created', 'order.paid', 'order.closed', 'order.refunded'],
  ],
])('a Tmall order in state %j says %j', async (parts, expected) => {
  expect(names(await convert(table(tmallHead, tmallRow(parts))))).toEqual(expected)
})

test('an order that was paid and closed gives back all of it, although its paid amount reads nought', async () => {
  const conversion = await convert(table(tmallHead, tmallRow({ status: '交易关闭', paid: '0.00' })))
  expect(named(conversion, 'order.paid')[0]!.properties!.total).toBe(100)
  expect(named(conversion, 'order.refunded')[0]!.properties!.amount).toBe(100)
})

test('a later state of an order is a later version of the same fact', async () => {
  const before = await convert(table(tmallHead, tmallRow({ status: '买家已付款，等待卖家发货' })))
  const after = await convert(table(tmallHead, tmallRow({ status: '交易成功' })))
  const [first, later] = [named(before, 'order.created')[0]!, named(after, 'order.created')[0]!]
  expect(later.messageId).not.toBe(first.messageId)
  expect(later.version!).toBeGreaterThan(first.version!)
  expect(named(after, 'order.paid')[0]!.messageId).toBe(named(before, 'order.paid')[0]!.messageId)
})

test('masked names and phones identify nobody', async () => {
  const conversion = await convert(table(tmallHead, tmallRow({ buyer: '小**', phone: '1******6198' })))
  expect(conversion.events).toEqual([])
  expect(conversion.problems).toMatchObject([{ row: 2, code: 'E_ROW_CUSTOMER_MASKED', outcome: 'skipped' }])
})

test('an order number that a spreadsheet has rounded is refused, not guessed', async () => {
  const conversion = await convert(table(tmallHead, tmallRow({ id: '1.93068E+18' }), tmallRow({ id: '' })))
  expect(conversion.events).toEqual([])
  expect(conversion.problems.map(({ row, code }) => [row, code])).toEqual([
    [2, 'E_ROW_ID_SCIENTIFIC'],
    [3, 'E_ROW_NO_ORDER_ID'],
  ])
})

test('sub-orders of Tmall add up, and one that is closed does not close the order', async () => {
  const conversion = await convert(
    table(
      '子订单编号,主订单编号,商品标题,商品价格,购买数量,商品属性,订单状态,买家实付金额,退款状态,退款金额,订单创建时间,订单付款时间,买家会员名',
      '="11"|="1"|口红|59.90|1|颜色:红|交易成功|49.90|没有申请退款|无退款申请|2026-01-02 10:00:00|2026-01-02 10:05:00|小明',
      '="12"|="1"|面膜|20.00|3|规格:盒|交易关闭|60.00|退款成功|60.00|2026-01-02 10:00:00|2026-01-02 10:05:00|小明',
    ),
  )
  expect(names(conversion)).toEqual(['order.created', 'order.paid', 'order.completed', 'order.refunded'])
  expect(named(conversion, 'order.paid')[0]!.properties).toMatchObject({
    total: 109.9,
    items: [
      { name: '面膜', quantity: 3, price: 20, total: 60 },
      { name: '口红', quantity: 1, price: 59.9, total: 59.9 },
    ],
  })
  expect(named(conversion, 'order.refunded')[0]!.properties!.amount).toBe(60)
})

test('JD repeats the money of an order on each of its rows, and it counts once', async () => {
  const head =
    '订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,应付金额,订单状态,下单帐号,联系电话,运费金额,付款确认时间,订单完成时间'
  const conversion = await convert(
    table(
      head,
      '301|1001|牙刷|2|在线支付|2026/1/2 8:05|9.90|49.80|44.80|44.80|完成|jd_pin|1******6198|0.00|2026/1/2 8:06|2026/1/5 9:00',
      '301|1002|牙膏|1|在线支付|2026/1/2 8:05|30.00|49.80|44.80|44.80|完成|jd_pin|1******6198|0.00|2026/1/2 8:06|2026/1/5 9:00',
      '302|1001|牙刷|1|在线支付|2026/1/2 8:05|9.90|9.90|9.90|9.90|(删除)等待出库|jd_pin|1******6198|0.00||',
      '303|1001|牙刷|1|货到付款|2026/1/2 8:05|9.90|9.90|9.90|9.90|等待确认收货|jd_pin|1******6198|0.00||',
    ),
  )
  expect(conversion.problems).toEqual([])
  const paid = named(conversion, 'order.paid')
  expect(paid.map((event) => event.properties!.total)).toEqual([44.8])
  expect(paid[0]).toMatchObject({
    externalIds: [{ type: 'buyer_id:jd', id: 'jd_pin' }],
    timestamp: shanghai('2026-01-02 08:06:00'),
  })
  expect(named(conversion, 'order.closed').map((event) => event.properties!.order_id)).toEqual(['302'])
})

test('a Douyin row may hold several items, and encrypted receivers name nobody', async () => {
  const head =
    '主订单编号,子订单编号,选购商品,商品规格,商品数量,商家编码,订单应付金额,运费,收件人,收件人手机号,详细地址,订单提交时间,订单完成时间,订单状态,售后状态,取消原因'
  const row = (phone: string) =>
    `\t6917926768823643751|\t69;70|短袖;长裤|红;黑|1;2|A;B|158.00|0|##密文|${phone}|##密文|2026-01-02 10:00:00|2026-01-09 10:00:00|已完成|-|`
  const masked = await convert(table(head, row('$$密文')))
  expect(masked.events).toEqual([])
  const conversion = await convert(table(head, row('13800001111')))
  expect(names(conversion)).toEqual(['identify', 'order.created', 'order.paid', 'order.completed'])
  expect(named(conversion, 'order.paid')[0]!.properties).toMatchObject({
    order_id: '6917926768823643751',
    total: 158,
    items: [
      { sku: 'A', name: '短袖', quantity: 1 },
      { sku: 'B', name: '长裤', quantity: 2 },
    ],
  })
})

test('Youzan names its distributor twice, and the buyer by phone', async () => {
  const conversion = await convert(
    table(
      '订单号,归属店铺,订单状态,订单创建时间,买家付款时间,交易成功时间,订单实付金额,全部商品名称,收货人省份,收货人城市,收货人/提货人,收货人手机号/提货人手机号,买家昵称,买家手机号,分销员,订单退款状态,订单已退款金额,分销员',
      'E2026|总店|交易完成|2026-01-02 10:00:00|2026-01-02 10:01:00|2026-01-08 10:00:00|88.00|草莓蛋糕(1件);蜡烛（2件）|浙江省|杭州市|王五|18618486065|小明|13800001111|甲||20.00|乙',
    ),
  )
  expect(named(conversion, 'order.paid')[0]).toMatchObject({
    externalIds: [{ type: 'phone', id: '+8613800001111' }],
    properties: {
      total: 88,
      items: [
        { name: '草莓蛋糕', quantity: 1 },
        { name: '蜡烛', quantity: 2 },
      ],
    },
  })
  expect(named(conversion, 'order.refunded')[0]!.properties).toMatchObject({
    amount: 20,
    time_estimated: true,
  })
})

test('Shopify writes the order on the first of its rows only', async () => {
  const head =
    'Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Currency,Shipping,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,Refunded Amount,Id,Phone'
  const conversion = await convert(
    table(
      head,
      '#1001|Ann@Example.com|partially_refunded|2026-01-02 10:00:00 +0000|fulfilled|2026-01-03 10:00:00 +0000|EUR|5.00|65.00|2026-01-02 09:59:00 +0000|1|Tea|20.00|T1|Ann Lee|20.00|450789469|',
      '#1001|ann@example.com||||||||2026-01-02 09:59:00 +0000|2|Cup|20.00|C1||||',
    ),
  )
  expect(names(conversion)).toEqual([
    'identify',
    'order.created',
    'order.paid',
    'order.shipped',
    'order.refunded',
  ])
  expect(named(conversion, 'order.paid')[0]).toMatchObject({
    timestamp: Date.UTC(2026, 0, 2, 10),
    properties: {
      order_id: '450789469',
      order_number: '#1001',
      currency: 'EUR',
      total: 65,
      items: [
        { sku: 'C1', total: 40 },
        { sku: 'T1', total: 20 },
      ],
    },
  })
})

test('an invoice that only takes back is a refund, and lines of nothing are left out', async () => {
  const conversion = await convert(
    table(
      'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
      '1|A|Cup|2|12/31/2010 8:26|2.555|17850.0|United Kingdom',
      '1|B|Gift|1|12/31/2010 8:26|0|17850.0|United Kingdom',
      'C2|A|Cup|-1|12/31/2010 9:00|2.555|17850.0|United Kingdom',
      '3|A|Cup|-1|12/31/2010 9:00|2.555|17850.0|United Kingdom',
      '4|A|Cup|0|12/31/2010 9:00|2.555|17850.0|United Kingdom',
      '5|A|Cup|1|12/31/2010 9:00|2.555||United Kingdom',
    ),
  )
  expect(named(conversion, 'order.paid').map((event) => [event.userId, event.properties!.total])).toEqual([
    ['17850', 5.11],
  ])
  expect(
    named(conversion, 'order.refunded').map((event) => [
      event.properties!.order_id,
      event.properties!.amount,
    ]),
  ).toEqual([
    ['C2', 2.56],
    ['3', 2.56],
  ])
  expect(conversion.problems.map(({ row, code, outcome }) => [row, code, outcome])).toEqual([
    [3, 'E_ROW_LINE_LEFT_OUT', 'mended'],
    [6, 'E_ROW_NO_LINE', 'skipped'],
    [7, 'E_ROW_NO_CUSTOMER', 'skipped'],
  ])
})

test('equal purchases on one day without an order number are two orders', async () => {
  const conversion = await convert(
    table('customer_id,order_date,revenue', 'ann|2026-01-02|10', 'ann|2026-01-02|10', 'ann|2026-01-02|11'),
  )
  expect(names(conversion)).toEqual(['order.paid', 'order.paid', 'order.paid'])
  expect(new Set(conversion.events.map((event) => event.properties!.order_id)).size).toBe(3)
})

const shuffledFile = fc.array(
  fc.record({
    order: fc.integer({ min: 1, max: 4 }),
    quantity: fc.integer({ min: -2, max: 5 }),
    price: fc.integer({ min: -100, max: 99_999 }),
    item: fc.constantFrom('A', 'B', 'C'),
    minute: fc.integer({ min: 10, max: 59 }),
  }),
  { minLength: 1, maxLength: 12 },
)

test('neither the order of rows nor the size of chunks changes an event', async () => {
  await fc.assert(
    fc.asyncProperty(shuffledFile, fc.infiniteStream(fc.nat()), async (lines, dice) => {
      const rows = lines.map(
        (line) =>
          `${line.order}|${line.item}|${line.quantity}|${(line.price / 1000).toFixed(3)}|2026-01-02 10:${line.minute}|ann`,
      )
      const head = '订单号,商品编号,数量,单价,下单时间,客户编号'
      const straight = await convert(table(head, ...rows))
      const shuffled = table(
        head,
        ...rows
          .map((row) => ({ row, at: dice.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ row }) => row),
      )
      const { mapping } = await recognise(shuffled)
      const events: SourceEvent[] = []
      for (const group of await groupsOf(shuffled, mapping))
        events.push(...(await source.convert([group], mapping, shuffled.headers)).events)
      const byId = (list: SourceEvent[]) => list.toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1))
      expect(byId(events)).toEqual(byId(straight.events))
      expect(new Set(events.map((event) => event.messageId)).size).toBe(events.length)
    }),
    { numRuns: 60 },
  )
})

test('a total that no one can read is left out and reported', async () => {
  const conversion = await convert(
    table(
      '订单号,客户编号,下单时间,实付金额,数量',
      '1|ann|2026-01-02|10|1',
      '2|ann|2026-01-02|11|1',
      '3|ann|2026-01-02|12|1',
      '4|ann|2026-01-02|13|1',
      '5|ann|bad|14|1',
      '6|ann|2026-01-02|十元|1',
    ),
  )
  expect(conversion.problems.map(({ row, code, column, value }) => [row, code, column, value])).toEqual([
    [6, 'E_ROW_NO_TIME', '下单时间', 'bad'],
    [7, 'E_ROW_MONEY', '实付金额', '十元'],
  ])
})

test('with the option, orders without a customer are kept, each as a visitor of its own', async () => {
  const from = table(
    '订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额',
    '1|178.8|0.0|上海|2026-02-21 00:00:00||0.0',
    '5|64.8|30.0|江苏省|2026-02-20 23:57:04|2026-02-20 23:57:11|34.8',
  )
  const conversion = await convert(from)
  expect(names(conversion)).toEqual(['order.created', 'order.created', 'order.paid', 'order.refunded'])
  expect(conversion.events[0]).toMatchObject({
    anonymousId: 'order:tmall:1',
    properties: { total: 178.8, province: '上海' },
  })
  expect(named(conversion, 'order.paid')[0]!.properties!.total).toBe(64.8)
  const strict = await convert(from, { withoutCustomer: 'skip' })
  expect(strict.events).toEqual([])
})

test('an order with a problem is left out whole when somebody says so, and nobody’s orders are told', async () => {
  const from = table(
    '订单编号,客户编号,下单时间,实付金额,商品名称',
    '1|ann|2026-01-02|10|Cup',
    '2|ann|2026-01-02|十元|Cup',
    '2|ann|2026-01-02|12|Plate',
    '3||2026-01-02|13|Cup',
    ...[4, 5, 6].map((id) => `${id}|bob|2026-01-03|9|Cup`),
  )
  const told = ({ problems }: Conversion) =>
    problems.map(({ row, code, outcome, value }) => [row, code, outcome, value])
  const usual = await convert(from)
  expect(told(usual)).toEqual([
    [3, 'E_ROW_MONEY', 'mended', '十元'],
    [5, 'E_ROW_NO_CUSTOMER', 'skipped', undefined],
  ])
  const chosen = await convert(from, { E_ROW_MONEY: 'skipped', withoutCustomer: 'anonymous' })
  expect(told(chosen).toSorted()).toEqual([
    [3, 'E_ROW_MONEY', 'skipped', '十元'],
    [4, 'E_ROW_MONEY', 'skipped', undefined],
    [5, 'E_ROW_NO_CUSTOMER', 'mended', undefined],
  ])
  expect(named(chosen, 'order.paid').map(({ properties }) => properties!.order_id)).toEqual([
    '1',
    '3',
    '4',
    '5',
    '6',
  ])
  for (const { choices } of usual.problems) expect(choices).toHaveLength(2)
})
