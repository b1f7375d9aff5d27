import { cleanCell, isMasked, toHalfWidth } from './cells.ts'

const MUNICIPALITIES = ['北京', '上海', '天津', '重庆']
const PROVINCES = [
  '河北',
  '山西',
  '辽宁',
  '吉林',
  '黑龙江',
  '江苏',
  '浙江',
  '安徽',
  '福建',
  '江西',
  '山东',
  '河南',
  '湖北',
  '湖南',
  '广东',
  '海南',
  '四川',
  '贵州',
  '云南',
  '陕西',
  '甘肃',
  '青海',
  '台湾',
]
const OTHERS: Record<string, string> = {
  内蒙古: '内蒙古自治区',
  广西: '广西壮族自治区',
  西藏: '西藏自治区',
  宁夏: '宁夏回族自治区',
  新疆: '新疆维吾尔自治区',
  香港: '香港特别行政区',
  澳门: '澳门特别行政区',
}
const NAMES: [short: string, full: string][] = [
  ...MUNICIPALITIES.map((name): [string, string] => [name, name]),
  ...PROVINCES.map((name): [string, string] => [name, `${name}省`]),
  ...Object.entries(OTHERS),
]

export interface Region {
  province?: string
  city?: string
  /** A phone number that newer exports write into the address. */
  phone?: string
}

/** The usual name of a Chinese province: `广东` and `广东省` are one. Other text comes back as it is. */
export function toProvince(cell: string): string {
  const text = cleanCell(cell)
  return NAMES.find(([short]) => text.startsWith(short))?.[1] ?? text
}

/**
 * Province and city of an address such as `广东省 深圳市 南山区 …` or `王五，86-13800000000，广东省 深圳市 …`. The street is not
 * kept: no figure needs it.
 */
export function findRegion(address: string): Region {
  const text = cleanCell(address)
  if (text === '') return {}
  const parts = toHalfWidth(text).split(',')
  const phone = parts.length > 2 ? /^(?:86-)?(1\d{10})$/.exec(parts[1]!.trim())?.[1] : undefined
  const place = (parts.length > 2 ? parts.slice(2).join(',') : text).trim()
  const found = NAMES.find(([short]) => place.startsWith(short))
  if (!found) return phone ? { phone } : {}
  const [short, full] = found
  let rest = place
    .slice(place.startsWith(full) ? full.length : short.length)
    .replace(/^(省|市|自治区|特别行政区)/, '')
    .trim()
  if (rest.startsWith(short)) rest = rest.slice(short.length).replace(/^市/, '').trim()
  const municipality = MUNICIPALITIES.includes(short)
  const city = municipality ? `${short}市` : /^([^\s市]{1,10}?(?:市|自治州|地区|盟))/.exec(rest)?.[1]
  const hasMore = rest !== '' || !municipality
  return {
    province: full,
    ...(city && hasMore && !isMasked(city) ? { city } : {}),
    ...(phone ? { phone } : {}),
  }
}
