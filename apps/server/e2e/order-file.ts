import { toGb18030 } from './gb18030.ts'

const DAY = 86_400_000
const BUYERS = 83
const HEADINGS = [
  '订单编号',
  '买家会员名',
  '买家支付宝账号',
  '买家应付货款',
  '买家应付邮费',
  '总金额',
  '买家实际支付金额',
  '订单状态',
  '收货人姓名',
  '收货地址',
  '联系手机',
  '订单创建时间',
  '订单付款时间',
  '宝贝标题',
  '宝贝总数量',
  '店铺名称',
  '订单关闭原因',
  '退款金额',
] as const
type Row = Partial<Record<(typeof HEADINGS)[number], string>>

interface Purchase {
  buyer: string
  /** Days before today. */
  ago: number
  fen: number
  refundFen: number
}

/** A year of a Tmall shop as its seller exports it, and what must come of it, worked out here and nowhere else. */
export interface OrderFile {
  name: string
  content: Buffer
  rows: number
  /** Every row is an order of its own, or is refused. */
  orders: number
  customers: number
  paidFen: number
  problems: { noCustomer: number[]; scientific: number[] }
  /** Customers by scores, `R1` to `R5` from left to right, `F5` in the first row. */
  grid: number[][]
}

export function makeOrderFile(now: number): OrderFile {
  const purchases = makePurchases()
  const rows = purchases.map((purchase, at) => toRow(purchase, at, now))
  // What shops' files are full of: orders of nobody, numbers that a spreadsheet has rounded, money given back.
  for (const at of [40, 41, 200]) insert(rows, at, { 买家会员名: '', 联系手机: '' })
  for (const at of [90, 150, 151, 300]) insert(rows, at, { 订单编号: '3.90177E+18' })
  insert(rows, 260, { 买家实际支付金额: '-12.50', 总金额: '-12.50' })
  insert(rows, 261, { 买家实际支付金额: '-8.00', 总金额: '-8.00' })
  const noCustomer = places(rows, (row) => row.买家会员名 === '')
  const scientific = places(rows, (row) => row.订单编号?.includes('E+') === true)
  const lines = [
    HEADINGS.join(','),
    ...rows.map((row) => HEADINGS.map((heading) => cell(row[heading])).join(',')),
  ]
  return {
    name: 'ExportOrderList2026.csv',
    content: toGb18030(`${lines.join('\r\n')}\r\n`),
    rows: rows.length,
    orders: rows.length - noCustomer.length - scientific.length,
    customers: new Set(purchases.map(({ buyer }) => buyer)).size,
    paidFen: purchases.reduce((sum, { fen }) => sum + fen, 0),
    problems: { noCustomer, scientific },
    grid: toGrid(purchases),
  }
}

function makePurchases(): Purchase[] {
  const purchases: Purchase[] = []
  for (let number = 0; number < BUYERS; number++) {
    const buyer = `买家${String(number).padStart(3, '0')}`
    const orders = 1 + ((number * 11) % 9)
    const last = 1 + ((number * 29) % 300)
    for (let nth = 0; nth < orders; nth++) {
      const fen = 2_990 + ((number * 7_919 + nth * 3_571) % 60_000)
      const refundFen = (number + nth) % 17 === 0 ? 500 : 0
      purchases.push({ buyer, ago: last + nth * 7, fen, refundFen })
    }
  }
  return purchases
}

function toRow({ buyer, ago, fen, refundFen }: Purchase, at: number, now: number): Row {
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(now - ago * DAY)
  return {
    订单编号: `="39017712345${String(at).padStart(8, '0')}"`,
    买家会员名: buyer,
    买家支付宝账号: '***',
    买家应付货款: yuan(fen),
    买家应付邮费: '0.00',
    总金额: yuan(fen),
    买家实际支付金额: yuan(fen),
    订单状态: '交易成功',
    收货人姓名: '张**',
    收货地址: '浙江省 杭州市 西湖区 ***',
    联系手机: "'138****2046",
    订单创建时间: `${day} 11:50:00`,
    订单付款时间: `${day} 12:00:00`,
    宝贝标题: '修护精华，30 毫升',
    宝贝总数量: '1',
    店铺名称: '岚山护肤旗舰店',
    订单关闭原因: '订单未关闭',
    退款金额: refundFen > 0 ? yuan(refundFen) : '0.00',
  }
}

/** Puts a row into the file that differs from the one before it in `change`, under an order number of its own. */
function insert(rows: Row[], at: number, change: Row): void {
  rows.splice(at, 0, {
    ...rows[at - 1],
    订单编号: `="49017712345${String(at).padStart(8, '0')}"`,
    退款金额: '0.00',
    ...change,
  })
}

/** Row numbers as a spreadsheet shows them, headings being row 1. */
function places(rows: Row[], isMeant: (row: Row) => boolean): number[] {
  return rows.flatMap((row, at) => (isMeant(row) ? [at + 2] : []))
}

function toGrid(purchases: Purchase[]): number[][] {
  const buyers = [...Map.groupBy(purchases, ({ buyer }) => buyer)].map(([name, own]) => ({
    name,
    days: Math.min(...own.map(({ ago }) => ago)),
    orders: own.length,
  }))
  const recency = ntile(buyers, (buyer) => -buyer.days)
  const frequency = ntile(buyers, (buyer) => buyer.orders)
  const grid = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0])
  for (const { name } of buyers) {
    const row = grid[5 - (frequency.get(name) as number)] as number[]
    const column = (recency.get(name) as number) - 1
    row[column] = (row[column] as number) + 1
  }
  return grid
}

/** `NTILE(5) OVER (ORDER BY value, name)`. */
function ntile<T extends { name: string }>(rows: T[], value: (row: T) => number): Map<string, number> {
  const sorted = rows.toSorted((a, b) => value(a) - value(b) || (a.name < b.name ? -1 : 1))
  const scores = new Map<string, number>()
  let at = 0
  for (let score = 1; score <= 5; score++) {
    const size = Math.floor(sorted.length / 5) + (score <= sorted.length % 5 ? 1 : 0)
    for (const row of sorted.slice(at, (at += size))) scores.set(row.name, score)
  }
  return scores
}

function yuan(fen: number): string {
  return (fen / 100).toFixed(2)
}

function cell(text = ''): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
