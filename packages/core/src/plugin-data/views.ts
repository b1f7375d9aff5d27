import type { RawBuilder } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Engine } from '../db/database.ts'
import type { Need, Reader } from '../points/grants.ts'
import { readColumns } from '../profiles/columns.ts'
import { profilesView, identifiersView } from './customer-views.ts'
import { timelineView } from './event-views.ts'
import type { Sealed } from './translate-sealed.ts'
import { segmentChangesView, segmentMembersView, segmentsView } from './segment-views.ts'

export interface ViewColumn {
  readonly name: string
  readonly description: string
  /** Its value, over what the view reads from. */
  readonly expression: RawBuilder<unknown>
  /** No row lacks it. */
  readonly present?: true
  /** Its values are sealed in the database, all of them or those that are personal. */
  readonly sealed?: Sealed | undefined
  /** What it takes to read it; absent when everybody may who may use the view. */
  readonly needs?: Need | undefined
}

/** A table that plugins can query, as one reader sees it. */
export interface PublishedView {
  /** What plugins write after `from`; may hold one dot. */
  readonly name: string
  readonly description: string
  readonly columns: readonly ViewColumn[]
  /** What it takes to use the view at all. */
  readonly needs?: Need | undefined
  /** `from … where …`: all rows this reader may see. `used` are the columns that the query asks for. */
  source(used: ReadonlySet<string>): RawBuilder<unknown>
  /** Whether `source` leaves out rows for want of a grant: nothing may then be computed of a row before it does. */
  readonly filtered?: boolean
}

/** Where views come from: asked anew for each query, since plugins, columns and grants come and go. */
export type ViewProvider = (
  reader: Reader,
  engine: Engine,
) => readonly PublishedView[] | Promise<readonly PublishedView[]>

/** The tables that plugins can query. */
export class PublishedViews {
  readonly #context: Pick<CoreContext, 'database' | 'points'>
  readonly #providers = new Set<ViewProvider>()

  constructor(context: Pick<CoreContext, 'database' | 'points'>) {
    this.#context = context
  }

  /** Adds further views. Returns the function that takes them out again. */
  publish(provider: ViewProvider): () => void {
    this.#providers.add(provider)
    return () => void this.#providers.delete(provider)
  }

  /** Every view by name, as `reader` sees it; the core's own names cannot be taken. */
  async of(reader: Reader): Promise<Map<string, PublishedView>> {
    const { database, points } = this.#context
    const { engine } = database
    const views = new Map<string, PublishedView>()
    for (const provider of this.#providers)
      for (const view of await provider(reader, engine)) views.set(view.name, view)
    const eventTypes = points.eventTypes.list().map(({ value }) => value)
    const own = [
      profilesView(reader, engine, await readColumns(database.db)),
      identifiersView(reader),
      timelineView(reader, engine, eventTypes),
      segmentsView(),
      segmentMembersView(),
      segmentChangesView(),
    ]
    for (const view of own) views.set(view.name, view)
    return views
  }
}
