import type { CreateTableBuilder, Kysely } from 'kysely'
import { engineOf } from './rows.ts'

/** Adds a primary key that only ever grows, so that a cursor over it never meets a number twice. */
export function autoIncrement(db: Kysely<any>, name: string) {
  return <TB extends string, C extends string>(table: CreateTableBuilder<TB, C>) =>
    engineOf(db) === 'postgres'
      ? table.addColumn(name, 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
      : table.addColumn(name, 'integer', (column) => column.primaryKey().autoIncrement())
}

/**
 * Type of a whole-number primary key that is given, not counted up. Only `integer` makes it SQLite's own row id;
 * with `bigint` every look-up would go through a second index.
 */
export function keyType(db: Kysely<any>): 'bigint' | 'integer' {
  return engineOf(db) === 'postgres' ? 'bigint' : 'integer'
}

/** Column type for JSON documents: checked on PostgreSQL, text on SQLite; both give text back. */
export function jsonType(db: Kysely<any>): 'json' | 'text' {
  return engineOf(db) === 'postgres' ? 'json' : 'text'
}
