import type { Core } from '@huitou/core'
import { advanceSegments } from '@huitou/core/segments/advance'
import type { Rule } from '@huitou/core/segments/rule'

/** Five conditions of the usual kinds: number, money, time, text, choice of several. */
export const fiveConditions: Rule = {
  all: [
    { column: 'commerce_orders', op: 'gte', value: 2 },
    { column: 'commerce_spend', op: 'gte', value: 20_000 },
    { column: 'commerce_last_order_at', op: 'within_days', value: 180 },
    { column: 't_city', op: 'in', value: ['上海市', '杭州市', '苏州市', '南京市'] },
    { column: 'commerce_favourite_category', op: 'is_not', value: '茶饮食品' },
  ],
}

/** Twenty segments of five conditions, each a little different, evaluated for everybody. */
export async function createBenchSegments(core: Core): Promise<void> {
  for (let number = 0; number < 20; number++) {
    const [orders, spend, ...rest] = (fiveConditions as { all: object[] }).all
    const rule = {
      all: [{ ...orders, value: 2 + (number % 5) }, { ...spend, value: 20_000 + number * 5_000 }, ...rest],
    }
    await core.database.db
      .insertInto('segments')
      .values({
        id: `bench-${number}`,
        name: `Bench ${number}`,
        kind: 'dynamic',
        owner: 'core',
        rule: JSON.stringify(rule),
        display: '{}',
        created_at: core.clock.now(),
        updated_at: core.clock.now(),
        evaluated_day: null,
        error: null,
        active: 1,
      })
      .execute()
  }
  while (await advanceSegments(core)) continue
}
