import { userError } from '@huitou/plugin-api'
import { type RawBuilder, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { transact, type Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { rowsOf } from '../db/rows.ts'
import { assignArm } from './assignment.ts'
import type { Experiment } from './queries.ts'

export interface Exposure {
  customerId: number
  arm: string
  /** When the customer first met it. */
  at: number
}

/**
 * The arms of customers, in the order asked for, written down as exposures of now. Who has met an arm keeps it, also
 * after being merged with somebody else. Unknown customers are left out.
 */
export async function expose(
  { database, clock }: Pick<CoreContext, 'database' | 'clock'>,
  experiment: Experiment,
  customerIds: readonly number[],
): Promise<Exposure[]> {
  if (experiment.journeyId !== null) {
    throw userError('E_EXPERIMENT_OF_JOURNEY', 'Customers enter this experiment by entering its journey', {
      status: 409,
    })
  }
  if (experiment.state !== 'running') {
    throw userError('E_EXPERIMENT_NOT_RUNNING', `"${experiment.name}" takes nobody in`, {
      status: 409,
      hint: experiment.state === 'draft' ? 'Start it first.' : 'It has ended.',
    })
  }
  const at = clock.now()
  return await transact(database.db, async (tx) => {
    const people = await currentIds(tx, customerIds)
    const current = [...new Set(people.values())]
    const known = await firstExposures(tx, experiment.id, current)
    const rows = current
      .filter((id) => !known.has(id))
      .map((id) => ({ experiment_id: experiment.id, customer_id: id, arm: assignArm(experiment, id), at }))
    await insertRows(tx, 'experiment_exposures', {
      rows,
      columns: { experiment_id: 'text', customer_id: 'integer', arm: 'text', at: 'integer' },
      conflict: { columns: ['experiment_id', 'customer_id'], then: 'keep' },
    })
    for (const row of rows) known.set(row.customer_id, { arm: row.arm, at })
    return customerIds.flatMap((customerId) => {
      const met = known.get(people.get(customerId) ?? 0)
      return met ? [{ customerId, ...met }] : []
    })
  })
}

/**
 * `select customer_id, at, arm, mixed` of everybody who met the experiment: today's customer, first time, and whether
 * it met several arms by merging.
 */
export function exposedCustomers(experiment: Experiment): RawBuilder<unknown> {
  const { id, journeyId, startedAt, endedAt } = experiment
  const before = endedAt === null ? sql`` : sql` and x.at <= ${endedAt}`
  const met =
    journeyId === null
      ? sql`select customer_id, arm, at from experiment_exposures where experiment_id = ${id}`
      : sql`select customer_id, arm, entered_at as at from enrolments where journey_id = ${journeyId} and version > 0`
  return sql`select i.customer_id, min(x.at) as at, min(x.arm) as arm,
    case when min(x.arm) = max(x.arm) then 0 else 1 end as mixed
    from (${met}) x inner join identifiers i on i.id = x.customer_id
    where x.at >= ${startedAt ?? 0}${before} group by i.customer_id`
}

async function currentIds(tx: Tx, ids: readonly number[]): Promise<Map<number, number>> {
  const rows = await tx
    .selectFrom(
      rowsOf(
        tx,
        ids.map((id) => ({ id })),
        { id: 'integer' },
      ),
    )
    .innerJoin('identifiers', 'identifiers.id', 'r.id')
    .select(['r.id', 'identifiers.customer_id'])
    .execute()
  return new Map(rows.map((row) => [row.id, row.customer_id]))
}

async function firstExposures(
  tx: Tx,
  experimentId: string,
  customers: readonly number[],
): Promise<Map<number, { arm: string; at: number }>> {
  const rows = await tx
    .selectFrom(
      rowsOf(
        tx,
        customers.map((id) => ({ id })),
        { id: 'integer' },
      ),
    )
    .innerJoin('identifiers', 'identifiers.customer_id', 'r.id')
    .innerJoin('experiment_exposures as e', 'e.customer_id', 'identifiers.id')
    .where('e.experiment_id', '=', experimentId)
    .select(['r.id', 'e.arm', 'e.at'])
    .orderBy('e.at', 'desc')
    .orderBy('e.customer_id', 'desc')
    .execute()
  // The earliest comes last and stays.
  return new Map(rows.map(({ id, arm, at }) => [id, { arm, at }]))
}
