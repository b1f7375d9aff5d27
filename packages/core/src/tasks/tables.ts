import { type Generated, type Kysely, sql } from 'kysely'
import { autoIncrement, jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

/** `open`: nobody has begun, though somebody may be meant to. `claimed`: the assignee is at it. */
export type TaskState = 'open' | 'claimed' | 'done' | 'cancelled'

export interface TaskRow {
  id: Generated<number>
  /** The same key twice is one task. */
  key: string | null
  kind: string
  /** A text, or JSON of it in every language; variables are filled in when it is read. */
  title: string
  queue: string
  assignee: string | null
  customer_id: number | null
  journey_id: string | null
  enrolment_id: number | null
  node: string | null
  /** `journey`, `user:<id>` or `plugin:<id>`. */
  created_by: string
  state: TaskState
  /** What variables are filled in from besides the customer, JSON. */
  data: string
  script: string | null
  /** `[{id, title}]`, JSON. */
  outcomes: string
  outcome: string | null
  note: string | null
  /** Business time the work was given. */
  sla_ms: number
  /** The SLA clock has `clock_left` to run from `clock_from` on: later than now while the task is snoozed. */
  clock_from: number
  clock_left: number
  due_at: number
  paused_until: number | null
  reminded_at: number | null
  overdue_at: number | null
  escalations: Generated<number>
  /** When something is to be done about it without anybody asking: remind, call it overdue, escalate. */
  next_at: number | null
  created_at: number
  updated_at: number
  ended_at: number | null
}

export interface TaskTables {
  tasks: TaskRow
  /** What happened to a task, in order. */
  task_events: {
    id: Generated<number>
    task_id: number
    at: number
    kind: string
    user_id: string | null
    details: string
  }
  task_queues: {
    id: string
    /** Empty for one that nobody has named. */
    name: string
    /** Ids of people, JSON; nobody named means that everybody belongs to it. */
    members: string
    assignment: 'claim' | 'rotate'
    /** Turns taken by members. */
    turns: Generated<number>
    /** Hours of its own, JSON; NULL for those of the brand. */
    hours: string | null
    remind_minutes: number | null
    escalate_minutes: number | null
    escalate_queue: string | null
    escalate_user: string | null
    created_at: number
  }
}

/** Queue of what names none. */
export const DEFAULT_QUEUE = 'default'

export const taskMigrations: Migrations = {
  '0130_tasks': {
    async up(db) {
      await createTasks(db)
      await db.schema
        .createTable('task_events')
        .$call(autoIncrement(db, 'id'))
        .addColumn('task_id', 'bigint', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('user_id', 'text')
        .addColumn('details', jsonType(db), (column) => column.notNull())
        .execute()
      await db.schema.createIndex('task_events_task').on('task_events').columns(['task_id', 'id']).execute()
      await db.schema
        .createTable('task_queues')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('members', jsonType(db), (column) => column.notNull())
        .addColumn('assignment', 'text', (column) => column.notNull())
        .addColumn('turns', 'bigint', (column) => column.notNull().defaultTo(0))
        .addColumn('hours', jsonType(db))
        .addColumn('remind_minutes', 'bigint')
        .addColumn('escalate_minutes', 'bigint')
        .addColumn('escalate_queue', 'text')
        .addColumn('escalate_user', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute()
    },
  },
}

async function createTasks(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('tasks')
    .$call(autoIncrement(db, 'id'))
    .addColumn('key', 'text', (column) => column.unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('queue', 'text', (column) => column.notNull())
    .addColumn('assignee', 'text')
    .addColumn('customer_id', 'bigint')
    .addColumn('journey_id', 'text')
    .addColumn('enrolment_id', 'bigint')
    .addColumn('node', 'text')
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('data', jsonType(db), (column) => column.notNull())
    .addColumn('script', 'text')
    .addColumn('outcomes', jsonType(db), (column) => column.notNull())
    .addColumn('outcome', 'text')
    .addColumn('note', 'text')
    .addColumn('sla_ms', 'bigint', (column) => column.notNull())
    .addColumn('clock_from', 'bigint', (column) => column.notNull())
    .addColumn('clock_left', 'bigint', (column) => column.notNull())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addColumn('paused_until', 'bigint')
    .addColumn('reminded_at', 'bigint')
    .addColumn('overdue_at', 'bigint')
    .addColumn('escalations', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('next_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .execute()
  const index = (name: string, columns: string[], where?: string) => {
    const made = db.schema.createIndex(name).on('tasks').columns(columns)
    return (where === undefined ? made : made.where(sql.raw(where) as never)).execute()
  }
  // The clock looks at this one and at nothing else.
  await index('tasks_next', ['next_at'], 'next_at is not null')
  await index('tasks_open', ['due_at', 'id'], 'ended_at is null')
  await index('tasks_assignee', ['assignee', 'due_at'], 'ended_at is null')
  await index('tasks_enrolment', ['enrolment_id'], 'ended_at is null')
  await index('tasks_ended', ['ended_at', 'id'], 'ended_at is not null')
  await index('tasks_customer', ['customer_id', 'id'])
  await index('tasks_journey', ['journey_id', 'id'])
}
