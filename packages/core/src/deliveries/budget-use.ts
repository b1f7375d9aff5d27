import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { businessDaysIn } from '../days.ts'
import { EVERYONE, periodsAt } from './ledger.ts'
import { type ContactPolicy, readContactPolicy } from './policy.ts'

export interface BudgetUse {
  name: string
  channels: string[]
  per: ContactPolicy['budgets'][number]['per']
  scope: ContactPolicy['budgets'][number]['scope']
  limit: number
  /** Messages since the period began, to everybody together. */
  used: number
  /** Customers who got any, and those who get no more before the period ends. */
  customers: number
  exhausted: number
}

/** What is used up of each quota that the contact policy names, from the ledger of touches. */
export async function readBudgetUse({
  database,
  clock,
  brand,
}: Pick<CoreContext, 'database' | 'clock' | 'brand'>): Promise<BudgetUse[]> {
  const { budgets } = await readContactPolicy(database.db)
  const periods = periodsAt(businessDaysIn((await brand()).timeZone), clock.now())
  const uses: BudgetUse[] = []
  for (const budget of budgets) {
    const byCustomer = database.analytics
      .selectFrom('contact_days')
      .where('day', '>=', periods[budget.per])
      .where('channel', 'in', budget.channels)
      .where('customer_id', '!=', EVERYONE)
      .groupBy('customer_id')
      .having(sql<number>`sum(count)`, '>', 0)
      .select(sql<number>`sum(count)`.as('used'))
    const row = await database.analytics
      .selectFrom(byCustomer.as('customers'))
      .select(({ fn }) => [fn.countAll<number>().as('customers'), fn.sum<number>('used').as('used')])
      .select(sql<number>`sum(case when used >= ${budget.limit} then 1 else 0 end)`.as('exhausted'))
      .executeTakeFirstOrThrow()
    uses.push({
      ...budget,
      used: Number(row.used ?? 0),
      customers: Number(row.customers),
      exhausted: Number(row.exhausted ?? 0),
    })
  }
  return uses
}

/** Messages of today by account, from the same ledger. */
export async function readSentToday({
  database,
  clock,
  brand,
}: Pick<CoreContext, 'database' | 'clock' | 'brand'>): Promise<Map<string, number>> {
  const { day } = periodsAt(businessDaysIn((await brand()).timeZone), clock.now())
  const rows = await database.db
    .selectFrom('contact_days')
    .where('customer_id', '=', EVERYONE)
    .where('day', '=', day)
    .groupBy('account')
    .select(['account', ({ fn }) => fn.sum<number>('count').as('count')])
    .execute()
  return new Map(rows.map(({ account, count }) => [account, Number(count)]))
}
