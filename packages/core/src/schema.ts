import { type CollectionTables, collectionMigrations } from './collections/tables.ts'
import { contentMigrations, type ContentTables } from './content/tables.ts'
import type { CursorTables } from './db/cursor.ts'
import type { Migrations } from './db/migrate.ts'
import { bulkMigrations, type BulkTables } from './deliveries/bulk-tables.ts'
import { consentMigrations, type ConsentTables } from './deliveries/consent-tables.ts'
import { deliveryMigrations, type DeliveryTables } from './deliveries/tables.ts'
import { type EventTables, eventMigrations } from './events/tables.ts'
import { experimentMigrations, type ExperimentTables } from './experiments/tables.ts'
import { type IdentityTables, identityMigrations } from './identity/tables.ts'
import { type ImportTables, importMigrations } from './imports/tables.ts'
import { type JobTables, jobMigrations } from './jobs/tables.ts'
import { journeyMigrations, type JourneyTables } from './journeys/tables.ts'
import { journeyTemplateMigrations, type JourneyTemplateTables } from './journeys/template-tables.ts'
import { nodeMigrations, type NodeTables } from './nodes/tables.ts'
import { keyMigrations, type KeyTables } from './people/key-tables.ts'
import { type PeopleTables, peopleMigrations } from './people/tables.ts'
import { type PluginDataTables, pluginDataMigrations } from './plugin-data/tables.ts'
import { type PluginStateTables, pluginStateMigrations } from './plugin-states/tables.ts'
import { type ProfileTables, profileMigrations } from './profiles/tables.ts'
import { requestMigrations, type RequestTables } from './rights/request-tables.ts'
import { rightsMigrations, type RightsTables } from './rights/tables.ts'
import { type ScoreTables, scoreMigrations } from './scores/tables.ts'
import { type SegmentTables, segmentMigrations } from './segments/tables.ts'
import { type SettingsTables, settingsMigrations } from './settings/tables.ts'
import { taskMigrations, type TaskTables } from './tasks/tables.ts'
import { watchMigrations, type WatchTables } from './watch/tables.ts'

/** Every table of the core. */
export type Tables = BulkTables &
  CollectionTables &
  ConsentTables &
  ContentTables &
  CursorTables &
  DeliveryTables &
  EventTables &
  ExperimentTables &
  IdentityTables &
  ImportTables &
  JobTables &
  JourneyTables &
  JourneyTemplateTables &
  KeyTables &
  NodeTables &
  PeopleTables &
  PluginDataTables &
  PluginStateTables &
  ProfileTables &
  RequestTables &
  RightsTables &
  ScoreTables &
  SegmentTables &
  SettingsTables &
  TaskTables &
  WatchTables

/** Migrations of the core, in the order they run. */
export const coreMigrations: Migrations = {
  ...settingsMigrations,
  ...eventMigrations,
  ...identityMigrations,
  ...profileMigrations,
  ...scoreMigrations,
  ...segmentMigrations,
  ...jobMigrations,
  ...importMigrations,
  ...collectionMigrations,
  ...pluginStateMigrations,
  ...pluginDataMigrations,
  ...journeyMigrations,
  ...journeyTemplateMigrations,
  ...deliveryMigrations,
  ...experimentMigrations,
  ...taskMigrations,
  ...contentMigrations,
  ...rightsMigrations,
  ...bulkMigrations,
  ...consentMigrations,
  ...requestMigrations,
  ...peopleMigrations,
  ...keyMigrations,
  ...nodeMigrations,
  ...watchMigrations,
}
