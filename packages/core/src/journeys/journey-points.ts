import type { CoreContext } from '../context.ts'
import type { Contribution, Text } from '../points/points.ts'
import { FESTIVAL_NAMES, nextFestival } from './calendar.ts'

/** What a canvas offers besides the steps that the core knows. */
export interface JourneyPoints {
  actions: (Choice & { input: object | null; output: object | null })[]
  conditions: (Choice & { options: object | null })[]
  events: { name: string; title: Text; icon: string | null; owner: string; properties: object }[]
  festivals: { id: string; title: Text; next: string }[]
}

interface Choice {
  /** Full id, as definitions name it. */
  id: string
  owner: string
  title: Text
  description: Text | null
  icon: string | null
}

/** Actions, conditions, events and festivals as they stand now, titles in both languages. */
export async function readJourneyPoints({
  points,
  clock,
  brand,
}: Pick<CoreContext, 'points' | 'clock' | 'brand'>): Promise<JourneyPoints> {
  const { timeZone } = await brand()
  const today = Temporal.Instant.fromEpochMilliseconds(clock.now()).toZonedDateTimeISO(timeZone).toPlainDate()
  return {
    actions: points.actions
      .list()
      .filter(({ value }) => value.places?.includes('journey') ?? true)
      .map((entry) => ({
        ...toChoice(entry),
        input: entry.value.input ?? null,
        output: entry.value.output ?? null,
      })),
    conditions: points.conditions
      .list()
      .map((entry) => ({ ...toChoice(entry), options: entry.value.options ?? null })),
    events: points.eventTypes.list().map(({ owner, value }) => ({
      name: value.name,
      title: owner.text(value.title as string),
      icon: value.icon ?? null,
      owner: owner.plugin,
      properties: (value.schema?.['properties'] as object | undefined) ?? {},
    })),
    festivals: FESTIVAL_NAMES.map((id) => ({
      id,
      title: TITLES[id] ?? { en: id, 'zh-CN': id },
      next: nextFestival(id, today).toString(),
    })),
  }
}

function toChoice({
  id,
  owner,
  value,
}: Contribution<{ title: unknown; description?: unknown; icon?: string }>): Choice {
  return {
    id,
    owner: owner.plugin,
    title: owner.text(value.title as string),
    description: value.description === undefined ? null : owner.text(value.description as string),
    icon: value.icon ?? null,
  }
}

const TITLES: Record<string, Text> = {
  new_year: { en: 'New Year’s Day', 'zh-CN': '元旦' },
  spring_festival: { en: 'Spring Festival', 'zh-CN': '春节' },
  lantern: { en: 'Lantern Festival', 'zh-CN': '元宵节' },
  valentine: { en: 'Valentine’s Day', 'zh-CN': '情人节' },
  womens_day: { en: 'Women’s Day', 'zh-CN': '妇女节' },
  labour_day: { en: 'Labour Day', 'zh-CN': '劳动节' },
  mothers_day: { en: 'Mother’s Day', 'zh-CN': '母亲节' },
  love_day_520: { en: '520, a day for love', 'zh-CN': '520' },
  childrens_day: { en: 'Children’s Day', 'zh-CN': '儿童节' },
  dragon_boat: { en: 'Dragon Boat Festival', 'zh-CN': '端午节' },
  shopping_618: { en: '618 shopping festival', 'zh-CN': '618' },
  fathers_day: { en: 'Father’s Day', 'zh-CN': '父亲节' },
  qixi: { en: 'Qixi', 'zh-CN': '七夕' },
  teachers_day: { en: 'Teachers’ Day', 'zh-CN': '教师节' },
  mid_autumn: { en: 'Mid-Autumn Festival', 'zh-CN': '中秋节' },
  national_day: { en: 'National Day', 'zh-CN': '国庆节' },
  double_ninth: { en: 'Double Ninth Festival', 'zh-CN': '重阳节' },
  double_eleven: { en: 'Double Eleven', 'zh-CN': '双十一' },
  laba: { en: 'Laba Festival', 'zh-CN': '腊八节' },
  double_twelve: { en: 'Double Twelve', 'zh-CN': '双十二' },
  christmas: { en: 'Christmas', 'zh-CN': '圣诞节' },
}
