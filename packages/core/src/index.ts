export * from './clock.ts'
export { adoptCollections } from './collections/adopt.ts'
export {
  applyCollections,
  type CollectionsSnapshot,
  countCollections,
  eraseCollections,
  exportCollections,
  restoreCollections,
  snapshotCollections,
} from './collections/apply.ts'
export type { Collections } from './collections/collections.ts'
export type { CollectionDeclaration } from './collections/declaration.ts'
export { collectionEffects, fullCollectionId } from './collections/effects.ts'
export * from './context.ts'
export * from './core.ts'
export { BusinessDays } from './days.ts'
export {
  type Database,
  type DatabaseOptions,
  type Db,
  openDatabase,
  transact,
  type Tx,
} from './db/database.ts'
export { oneAtATime } from './db/one-at-a-time.ts'
export { findInconsistencies } from './db/consistency.ts'
export { migrate, type MigrationPlan, type Migrations, planMigrations, tryMigrations } from './db/migrate.ts'
export { copySqlite, inspectSqlite } from './db/snapshot.ts'
export type { AppendResult, EventLog } from './events/append.ts'
export type { EventsTaken } from './events/routes.ts'
export { type NewEvent, normalizeMessage } from './events/normalize.ts'
export { createWriteKey } from './events/write-keys.ts'
export { type AppDeps, type AppType, createApp } from './http/app.ts'
export type { Role } from './http/env.ts'
export { LiveTopics, type Topic } from './http/live.ts'
export type * from './http/plugin-views.ts'
export { type FileImport, importFile } from './imports/import-file.ts'
export { sweepImports } from './imports/sweep.ts'
export { checkTemplate } from './journeys/template.ts'
export { JOBS_BACKENDS, type JobsBackend } from './jobs/boss-queue.ts'
export type { MailServer } from './settings/mail-server.ts'
export type { Job, JobContext, Jobs } from './jobs/jobs.ts'
export { listNodes, listStageClaims, type NodeView, type PluginOnNode } from './nodes/queries.ts'
export type { ScheduledWork, Schedules } from './nodes/schedules.ts'
export type { NodeRole } from './nodes/tables.ts'
export { ThisNode } from './nodes/this-node.ts'
export { audit } from './people/audit.ts'
export { verifyAuditLog } from './people/audit-chain.ts'
export { type Auth, createAuth, type NewUser, type User } from './people/auth.ts'
export {
  KEY_SCOPES,
  type Permission,
  PERMISSIONS,
  permissionsOf,
  ROLE_PERMISSIONS,
} from './people/permissions.ts'
export { ROUTE_PERMISSIONS } from './people/route-permissions.ts'
export type { SingleSignOn } from './people/single-sign-on.ts'
export { PluginAccess, type PluginCaller } from './plugin-data/plugin-access.ts'
export { listPermissionUses, type UsedPermission } from './plugin-data/permission-uses.ts'
export { erasePluginStorage, readPluginStorage } from './plugin-data/storage.ts'
export type { PublishedView, ViewColumn, ViewProvider } from './plugin-data/views.ts'
export * from './plugin-states/queries.ts'
export * from './plugin-states/sources.ts'
export * from './plugin-states/upgrades.ts'
export { runCommandFor } from './points/command-routes.ts'
export { compileSchema, problemsOf } from './points/json-schema.ts'
export type { Need, Reader } from './points/grants.ts'
export * from './points/points.ts'
export * from './profiles/owned-columns.ts'
export { rewindProfiles } from './profiles/stage.ts'
export { mergeErasures } from './rights/erase-files.ts'
export { eraseScores } from './scores/erase.ts'
export { compareRehearsals, rehearseScores } from './scores/rehearse.ts'
export type { ScoreStage } from './scores/stage.ts'
export { listReports, runReport } from './reports/run.ts'
export { eraseBuiltinSegments } from './segments/builtin.ts'
export { countRule } from './segments/count.ts'
export { explainRule } from './segments/explain.ts'
export { createSegment, deleteSegment, getSegment, listSegments, type Segment } from './segments/queries.ts'
export { coreMigrations } from './schema.ts'
export { parseRule, type Rule } from './segments/rule.ts'
export { type Brand, findSetting, readBrand, writeBrand, writeSetting } from './settings/brand.ts'
export { createPluginTask } from './tasks/plugin-task.ts'
export { DeliveryTally } from './watch/delivery-tally.ts'
export { type Figures, readFigures } from './watch/figures.ts'
