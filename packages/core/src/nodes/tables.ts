import { sql } from 'kysely'
import type { Migrations } from '../db/migrate.ts'

/** Which part of the work a node does: `web` answers HTTP, `worker` runs the loop and jobs, `all` does both. */
export type NodeRole = 'web' | 'worker' | 'all'

export interface NodeTables {
  /** Server processes on this database. Times are those of the database, whose clock all of them can see. */
  nodes: {
    id: string
    /** Tells processes that run beside each other on one machine. */
    machine: string
    /** Name of the machine, by which people know it. */
    host: string
    pid: number
    role: NodeRole
    version: string
    /** Its data folder: nodes with the same one see the same files. */
    place: string
    /** Tells whether nodes have the same secret, and nothing else about it. */
    secret: string
    started_at: number
    seen_at: number
    /** When it is dead for the others, should nobody hear of it until then. */
    dead_at: number
    /** Plugins it has, JSON: `{ id: { version, state, error } }`. */
    plugins: string
    /** How many of the plugins that are wished it cannot run: work that they take part in goes to nodes that miss least. */
    missing: number
  }
  /** Who does the work of a stage that one node at a time may do. */
  stage_claims: {
    stage: string
    node_id: string | null
    /** Grows each time the stage changes hands: whoever holds an older one writes nothing any more. */
    token: number
    since: number
  }
  /** When what runs by the clock ran last, on whichever node. */
  schedules: {
    name: string
    /** The moment it was due for, epoch milliseconds. */
    tick: number
    node_id: string
    ran_at: number
    took_ms: number | null
    error: string | null
  }
}

export const nodeMigrations: Migrations = {
  '0280_nodes': {
    async up(db) {
      await db.schema
        .createTable('nodes')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('machine', 'text', (column) => column.notNull())
        .addColumn('pid', 'integer', (column) => column.notNull())
        .addColumn('role', 'text', (column) => column.notNull())
        .addColumn('version', 'text', (column) => column.notNull())
        .addColumn('place', 'text', (column) => column.notNull())
        .addColumn('secret', 'text', (column) => column.notNull())
        .addColumn('started_at', 'bigint', (column) => column.notNull())
        .addColumn('seen_at', 'bigint', (column) => column.notNull())
        .addColumn('plugins', 'text', (column) => column.notNull().defaultTo('{}'))
        .execute()
      await db.schema
        .createTable('stage_claims')
        .addColumn('stage', 'text', (column) => column.primaryKey())
        .addColumn('node_id', 'text')
        .addColumn('token', 'bigint', (column) => column.notNull().defaultTo(0))
        .addColumn('since', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute()
      await db.schema
        .createTable('schedules')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('tick', 'bigint', (column) => column.notNull())
        .addColumn('node_id', 'text', (column) => column.notNull().defaultTo(sql.lit('')))
        .addColumn('ran_at', 'bigint', (column) => column.notNull())
        .addColumn('took_ms', 'bigint')
        .addColumn('error', 'text')
        .execute()
    },
  },
  '0283_nodes_missing': {
    async up(db) {
      await db.schema
        .alterTable('nodes')
        .addColumn('missing', 'integer', (column) => column.notNull().defaultTo(0))
        .execute()
    },
  },
  '0284_nodes_dead_at': {
    async up(db) {
      await db.schema
        .alterTable('nodes')
        .addColumn('dead_at', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute()
    },
  },
  '0421_nodes_host': {
    async up(db) {
      await db.schema
        .alterTable('nodes')
        .addColumn('host', 'text', (column) => column.notNull().defaultTo(''))
        .execute()
    },
  },
}
