import { notFound, userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import type { Definition } from './definition.ts'
import type { ExperimentTables } from './tables.ts'

export interface Experiment extends Definition {
  id: string
  name: string
  state: 'draft' | 'running' | 'ended'
  createdAt: number
  updatedAt: number
  startedAt: number | null
  endedAt: number | null
}

type Context = Pick<CoreContext, 'database' | 'clock'>

/** Newest first. */
export async function listExperiments({ database }: Pick<Context, 'database'>): Promise<Experiment[]> {
  const rows = await database.db
    .selectFrom('experiments')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.map(toExperiment)
}

export async function getExperiment(
  { database }: Pick<Context, 'database'>,
  id: string,
): Promise<Experiment> {
  const row = await database.db.selectFrom('experiments').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound('Experiment', id)
  return toExperiment(row)
}

/** Stores a draft; nobody is assigned before it starts. */
export async function createExperiment(
  context: Context,
  { name, definition }: { name: string; definition: Definition },
): Promise<Experiment> {
  await checkJourney(context, definition)
  const id = uuid()
  const now = context.clock.now()
  await context.database.db
    .insertInto('experiments')
    .values({
      id,
      name,
      journey_id: definition.journeyId,
      definition: JSON.stringify(definition),
      created_at: now,
      updated_at: now,
      started_at: null,
      ended_at: null,
    })
    .execute()
  return await getExperiment(context, id)
}

/** Changes the name at any time, and what is measured only before the start. */
export async function updateExperiment(
  context: Context,
  id: string,
  { name, definition }: { name?: string; definition?: Definition },
): Promise<Experiment> {
  await getExperiment(context, id)
  if (definition) await checkJourney(context, definition)
  const { numUpdatedRows } = await context.database.db
    .updateTable('experiments')
    .set({
      updated_at: context.clock.now(),
      ...(name === undefined ? {} : { name }),
      ...(definition ? { definition: JSON.stringify(definition), journey_id: definition.journeyId } : {}),
    })
    .where('id', '=', id)
    .$if(definition !== undefined, (query) => query.where('started_at', 'is', null))
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw startedError(id)
  return await getExperiment(context, id)
}

/** From now on customers are assigned and counted. Starting twice changes nothing. */
export async function startExperiment(context: Context, id: string): Promise<Experiment> {
  await getExperiment(context, id)
  const now = context.clock.now()
  await context.database.db
    .updateTable('experiments')
    .set({ started_at: now, updated_at: now })
    .where('id', '=', id)
    .where('started_at', 'is', null)
    .execute()
  return await getExperiment(context, id)
}

/** Takes in nobody from now on; those who are in are measured until their windows are over. */
export async function endExperiment(context: Context, id: string): Promise<Experiment> {
  const { state } = await getExperiment(context, id)
  if (state === 'draft') {
    throw userError('E_EXPERIMENT_NOT_STARTED', 'An experiment that has not started cannot end', {
      status: 409,
      hint: 'Start it, or delete it.',
    })
  }
  const now = context.clock.now()
  await context.database.db
    .updateTable('experiments')
    .set({ ended_at: now, updated_at: now })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .execute()
  return await getExperiment(context, id)
}

/** Takes an experiment away with its exposures, unless it is running. */
export async function deleteExperiment(context: Context, id: string): Promise<void> {
  const { state, name } = await getExperiment(context, id)
  if (state === 'running') {
    throw userError('E_EXPERIMENT_RUNNING', `"${name}" is running`, { status: 409, hint: 'End it first.' })
  }
  await transact(context.database.db, async (tx) => {
    await tx.deleteFrom('experiment_exposures').where('experiment_id', '=', id).execute()
    await tx.deleteFrom('experiments').where('id', '=', id).execute()
  })
}

async function checkJourney({ database }: Context, { journeyId }: Definition): Promise<void> {
  if (journeyId === null) return
  const journey = await database.db
    .selectFrom('journeys')
    .select('id')
    .where('id', '=', journeyId)
    .executeTakeFirst()
  if (!journey) throw notFound('Journey', journeyId)
}

function toExperiment(row: ExperimentTables['experiments']): Experiment {
  return {
    ...(JSON.parse(row.definition) as Definition),
    id: row.id,
    name: row.name,
    state: row.started_at === null ? 'draft' : row.ended_at === null ? 'running' : 'ended',
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }
}

function startedError(id: string) {
  return userError('E_EXPERIMENT_STARTED', `Experiment "${id}" has started: arms and metrics are fixed`, {
    status: 409,
    hint: 'What is measured is named before anybody looks. End it and make another one.',
  })
}
