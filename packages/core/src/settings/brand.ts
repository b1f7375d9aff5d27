import { userError } from '@huitou/plugin-api'
import type { Db, Tx } from '../db/database.ts'

/** What the whole product counts and speaks in. */
export interface Brand {
  brandName: string
  /** ISO 4217. Money columns are in its minor units. */
  currency: string
  /** IANA name. Business days are days of this zone. */
  timeZone: string
  locale: 'zh-CN' | 'en'
  /** Address under which customers reach this server; links in messages lead there. Without it none is counted. */
  publicUrl?: string
  /** Addresses by name, for texts: `{{ links.shop }}`. */
  links?: Record<string, string>
}

const DEFAULT_BRAND: Brand = { brandName: '', currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' }

export async function readBrand(db: Db | Tx): Promise<Brand> {
  return { ...DEFAULT_BRAND, ...((await findSetting(db, 'brand')) as Partial<Brand> | undefined) }
}

/** Stores the given parts. An unknown currency or zone is refused. */
export async function writeBrand(db: Db | Tx, change: Partial<Brand>): Promise<Brand> {
  const brand = { ...(await readBrand(db)), ...change }
  if (!Intl.supportedValuesOf('currency').includes(brand.currency)) {
    throw userError('E_CURRENCY', `"${brand.currency}" is not an ISO 4217 currency`, {
      hint: 'For instance CNY, EUR or USD.',
    })
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: brand.timeZone })
  } catch (cause) {
    throw userError('E_TIME_ZONE', `"${brand.timeZone}" is not a time zone`, {
      hint: 'For instance Asia/Shanghai.',
      cause,
    })
  }
  if (brand.publicUrl) brand.publicUrl = checkPublicUrl(brand.publicUrl)
  await writeSetting(db, 'brand', brand)
  return brand
}

function checkPublicUrl(address: string): string {
  const url = URL.parse(address)
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '')
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  throw userError('E_PUBLIC_URL', `"${address}" is no address that customers can open`, {
    hint: 'For instance https://hello.example.com.',
  })
}

export async function findSetting(db: Db | Tx, name: string): Promise<unknown> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.value) as unknown)
}

export async function writeSetting(db: Db | Tx, name: string, value: unknown): Promise<void> {
  const row = { name, value: JSON.stringify(value) }
  await db
    .insertInto('settings')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: row.value }))
    .execute()
  written++
}

/** Another node may write a setting, and this one knows it after so long. */
const KEPT_MS = 1_000
/** How often this process has written any setting. */
let written = 0

/**
 * A way to read settings that asks the database at most once a second, for what is needed many times a second. What
 * this process writes itself is seen at once.
 */
export function keptSetting<T>(read: () => Promise<T>): () => Promise<T> {
  let kept: { value: T; written: number; until: number } | undefined
  return async () => {
    if (kept && kept.written === written && performance.now() < kept.until) return kept.value
    const before = written
    const value = await read()
    kept = { value, written: before, until: performance.now() + KEPT_MS }
    return value
  }
}
