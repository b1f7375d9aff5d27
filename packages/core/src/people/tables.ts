import { type Kysely, sql } from 'kysely'
import { engineOf } from '../db/rows.ts'
import type { Migrations } from '../db/migrate.ts'
import { chainAuditLog } from './audit-chain.ts'

export interface PeopleTables {
  /** The end of the audit log's chain; the one row also makes writers wait for each other. */
  audit_head: { id: number; entries: number; hash: string }
  /** Keys for programs; only a digest is kept. */
  api_keys: {
    id: string
    name: string
    digest: string
    tail: string
    /** Permissions as a JSON array. */
    scopes: string
    created_by: string
    created_at: number
    expires_at: number | null
    last_used_at: number | null
    revoked_at: number | null
  }
  /** Failed sign-ins by account and by address, both as digests. */
  sign_in_attempts: { key: string; failures: number; since: number; blocked_until: number }
}

export const peopleMigrations: Migrations = {
  '0200_audit_chain': {
    async up(db) {
      await db.schema.alterTable('audit_log').addColumn('hash', 'text').execute()
      await db.schema
        .createTable('audit_head')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('entries', 'bigint', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('audit_log_user').on('audit_log').columns(['user_id', 'id']).execute()
      await db.schema.createIndex('audit_log_action').on('audit_log').columns(['action', 'id']).execute()
      // What was written before this version joins the chain as it stands.
      await chainAuditLog(db)
      await refuseEdits(db)
    },
  },
  '0201_api_keys': {
    async up(db) {
      await db.schema
        .createTable('api_keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull().unique())
        .addColumn('tail', 'text', (column) => column.notNull())
        .addColumn('scopes', 'text', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint')
        .addColumn('last_used_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .execute()
      await db.schema
        .createTable('sign_in_attempts')
        .addColumn('key', 'text', (column) => column.primaryKey())
        .addColumn('failures', 'integer', (column) => column.notNull())
        .addColumn('since', 'bigint', (column) => column.notNull())
        .addColumn('blocked_until', 'bigint', (column) => column.notNull())
        .execute()
    },
  },
}

const REFUSAL = 'the audit log is append only'

/** The database itself refuses to change or take away what is written, whoever asks. */
async function refuseEdits(db: Kysely<any>): Promise<void> {
  if (engineOf(db) === 'sqlite') {
    for (const verb of ['update', 'delete']) {
      await sql`create trigger ${sql.ref(`audit_log_no_${verb}`)} before ${sql.raw(verb)} on audit_log
        begin select raise(abort, ${sql.lit(REFUSAL)}); end`.execute(db)
    }
    return
  }
  await sql`create function audit_log_is_append_only() returns trigger language plpgsql as
    ${sql.lit(`begin raise exception '${REFUSAL}'; end`)}`.execute(db)
  await sql`create trigger audit_log_no_change before update or delete on audit_log
    for each row execute function audit_log_is_append_only()`.execute(db)
  await sql`create trigger audit_log_no_truncate before truncate on audit_log
    for each statement execute function audit_log_is_append_only()`.execute(db)
}
