import type { JsonSchema, LocalizedText } from './contributions.ts'
import type { RunContext } from './plugin.ts'

/** Roles of the people who work with Huitou; an owner may do everything. */
export type Role = 'owner' | 'operator' | 'agent' | 'analyst' | 'developer'

/** Records of a plugin's own, kept by Huitou with search, REST API and pages. Full id: `publisher.name/id`. */
export interface CollectionContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** JSON Schema of one record; `type: "object"`. */
  schema: JsonSchema
  /** Field that names a record in lists and references. */
  titleField?: string
  /** Fields that the search box looks into. */
  searchable?: string[]
  /** Fields that are looked up or sorted together. */
  indexes?: string[][]
  /** Field → `customer`, an own collection's id, or `publisher.name/id` of another's. */
  references?: Record<string, string>
  /**
   * Roles that may read and write. If absent, everybody who is signed in reads, operators and agents write. An owner
   * may do both in any case.
   */
  permissions?: { read?: Role[]; write?: Role[] }
  /** Ids of the views it opens with, the first by default. */
  views?: string[]
  /** What the plugin's code is asked or told: the methods of its {@link CollectionHooks}. */
  hooks?: ('validate' | 'afterChange')[]
}

/** A stored record: what the plugin wrote and what Huitou knows about it. */
export interface CollectionRecord<T = Record<string, unknown>> {
  readonly id: string
  readonly data: T
  /** Grows by one with every change. */
  readonly version: number
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

type Scalar = string | number | boolean

export type FieldFilter =
  | Scalar
  | null
  | {
      gt?: Scalar
      gte?: Scalar
      lt?: Scalar
      lte?: Scalar
      not?: Scalar | null
      in?: Scalar[]
      contains?: string
    }

export interface CollectionQuery {
  /** All of these hold. */
  where?: Record<string, FieldFilter>
  /** Words to find in the searchable fields. */
  search?: string
  sort?: { field: string; direction?: 'asc' | 'desc' }
  /** 100 if absent, 1,000 at most. */
  limit?: number
  /** From the page before. */
  cursor?: string
}

/** The records of one collection. */
export interface Collection<T = Record<string, unknown>> {
  find(query?: CollectionQuery): Promise<{ records: CollectionRecord<T>[]; cursor?: string }>
  /** Throws `E_NOT_FOUND` when there is none. */
  get(id: string): Promise<CollectionRecord<T>>
  /** Throws `E_RECORD` when the record does not fit the schema. */
  insert(data: T): Promise<CollectionRecord<T>>
  /** Changes the fields given. With `version`, throws `E_CONFLICT` when somebody else was faster. */
  update(id: string, changes: Partial<T>, options?: { version?: number }): Promise<CollectionRecord<T>>
  delete(id: string): Promise<void>
  count(query?: Pick<CollectionQuery, 'where' | 'search'>): Promise<number>
}

export interface CollectionChange<T = Record<string, unknown>> {
  kind: 'insert' | 'update' | 'delete'
  /** Absent for a deletion. */
  record?: CollectionRecord<T>
  /** Absent for an insertion. */
  previous?: CollectionRecord<T>
}

export interface FieldProblem {
  field: string
  message: string
}

/** Optional behaviour of a collection, registered with `huitou.collectionHooks.register(id, …)`. */
export interface CollectionHooks<T = Record<string, unknown>> {
  /** What keeps a record from being written, besides its schema; nothing when all is well. */
  validate?(
    change: { kind: 'insert' | 'update'; data: T; previous?: CollectionRecord<T> },
    context: RunContext,
  ): Promise<FieldProblem[]> | FieldProblem[]
  /** Told after the change is stored, at least once, in the order of changes to one record. */
  afterChange?(change: CollectionChange<T>, context: RunContext): Promise<void> | void
}
