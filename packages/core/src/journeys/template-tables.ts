import type { Migrations } from '../db/migrate.ts'

export interface JourneyTemplateTables {
  /** Journeys that were made from a template. */
  journey_origins: {
    journey_id: string
    /** `publisher.name/id`. */
    template: string
    /** Digest of what the plugin declared. */
    template_version: string
    /** JSON. */
    parameters: string
    /** What the template gave, JSON: by it one tells what somebody has changed since. */
    built: string
  }
}

export const journeyTemplateMigrations: Migrations = {
  '0105_journey_origins': {
    async up(db) {
      await db.schema
        .createTable('journey_origins')
        .addColumn('journey_id', 'text', (column) => column.primaryKey())
        .addColumn('template', 'text', (column) => column.notNull())
        .addColumn('template_version', 'text', (column) => column.notNull())
        .addColumn('parameters', 'text', (column) => column.notNull())
        .addColumn('built', 'text', (column) => column.notNull())
        .execute()
    },
  },
}
