import { stringify } from 'csv-stringify/sync'
import { strToU8, zipSync } from 'fflate'
import type { CoreContext } from '../context.ts'
import type { Text } from '../points/points.ts'
import { readCustomerData } from './customer-data.ts'

const TITLES: Record<string, Text> = {
  profile: { en: 'What we know and worked out: details, figures, scores', 'zh-CN': '资料、统计与打分' },
  identifiers: { en: 'Names that we know you by', 'zh-CN': '识别您的编号与联系方式' },
  events: { en: 'What happened, in order', 'zh-CN': '按时间排列的行为与订单' },
  segments: { en: 'Groups that you are in, and the rule of each', 'zh-CN': '您所在的人群及其规则' },
  journeys: { en: 'Series of messages that you were part of', 'zh-CN': '您参与过的自动化旅程' },
  messages: { en: 'Messages to you', 'zh-CN': '发给您的消息' },
  consents: { en: 'What you allowed and took back', 'zh-CN': '您给出与撤回的同意' },
  requests: { en: 'What you asked of us as the law lets you', 'zh-CN': '您依法提出的请求' },
  tasks: { en: 'What people did for you', 'zh-CN': '人工为您处理的事项' },
  records: { en: 'Records about you', 'zh-CN': '与您有关的记录' },
}

const WORDS = {
  en: {
    intro: (brand: string, time: string) =>
      `This is everything that ${brand} holds on you in Huitou, as of ${time}.\n\n` +
      'data.json holds all of it for machines; each of the other files is a table that any spreadsheet opens.\n' +
      'Times are in UTC. What is about other people, and what protects our systems, is left out.\n\n',
    rows: (rows: number) => `${rows} rows`,
  },
  'zh-CN': {
    intro: (brand: string, time: string) =>
      `以下是截至 ${time}，${brand} 在回头中保存的与您有关的全部数据。\n\n` +
      'data.json 供程序读取；其余每个文件是一张表，可用任何表格软件打开。\n' +
      '时间均为 UTC。涉及他人的内容以及保护系统安全的内容不在其中。\n\n',
    rows: (rows: number) => `${rows} 行`,
  },
} as const

interface CustomerFile {
  bytes: Uint8Array
  rows: number
}

/** All of one customer's data as an archive: one JSON for machines, tables for people, and a page that says what is what. */
export async function writeCustomerFile(
  context: Pick<CoreContext, 'database' | 'points' | 'brand' | 'clock'>,
  customerId: number,
  locale: keyof Text,
): Promise<CustomerFile> {
  const data = await readCustomerData(context, customerId, locale)
  const { brandName } = await context.brand()
  const time = new Date(context.clock.now()).toISOString()
  const words = WORDS[locale]
  const files: Record<string, Uint8Array> = {
    'data.json': strToU8(`${JSON.stringify({ brand: brandName, at: time, ...data }, null, 2)}\n`),
  }
  let readMe = words.intro(brandName || 'Huitou', time)
  let rows = 0
  for (const [name, lines] of Object.entries(data)) {
    rows += lines.length
    readMe += `${name}.csv: ${TITLES[name]?.[locale] ?? name} (${words.rows(lines.length)})\n`
    const table = stringify(lines, {
      header: true,
      bom: true,
      escape_formulas: true,
      record_delimiter: 'windows',
    })
    files[`${name}.csv`] = strToU8(table)
  }
  files['README.txt'] = strToU8(`\uFEFF${readMe}`)
  return { bytes: zipSync(files), rows }
}
