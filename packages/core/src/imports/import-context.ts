import type { Source, SourceContribution } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Contribution, Implemented, Points } from '../points/points.ts'
import { findSetting } from '../settings/brand.ts'
import { IMPORT_LIMITS, type ImportLimits } from './limits.ts'
import { unknownName } from './mapping.ts'

/** What imports work with. */
export interface ImportContext extends CoreContext {
  /** Folder of the data; uploads lie in `imports` below it. */
  readonly dataDir: string
  /** Called after each commit that added events, so that the next stage need not wait for its poll. */
  readonly onAppended?: () => void
}

/** How a verb tells how far it is, and learns that it should stop. */
export interface ImportRun {
  readonly signal: AbortSignal
  progress(progress: { done: number; total: number | null; unit: string }): void
}

export type SourceEntry = Contribution<Implemented<SourceContribution, Required<Source>>>

export function getSource({ sources }: Pick<Points, 'sources'>, id: string): SourceEntry {
  const entry = sources.find(id)
  if (entry) return entry
  throw unknownName('E_SOURCE_UNKNOWN', `No enabled plugin reads "${id}"`, {
    name: id,
    known: sources.list().map((source) => source.id),
  })
}

/** Limits with what the owner set in the setting `imports`. */
export async function readLimits({ database }: Pick<CoreContext, 'database'>): Promise<ImportLimits> {
  const stored = (await findSetting(database.db, 'imports')) as Partial<ImportLimits> | undefined
  return { ...IMPORT_LIMITS, ...stored }
}
