import { permissionError } from '@huitou/plugin-api'
import type { Need } from '../points/grants.ts'
import { queryError } from './query-limits.ts'
import type { Sealed } from './translate-sealed.ts'

/** A column that a query can name: what to write for it, or why the plugin may not have it. */
export interface ScopeColumn {
  readonly refused?: Need | undefined
  /** No row lacks it. */
  readonly present?: boolean | undefined
  /** Its values are sealed in the database. */
  readonly sealed?: Sealed | undefined
  /** Called when the query uses it. */
  use?(): void
}

/** Something after `from` or `join`. */
export interface Source {
  /** What the query calls it. */
  readonly name: string
  /** What it is called in the database. */
  readonly alias: string
  readonly columns: ReadonlyMap<string, ScopeColumn>
}

/** A query of `with`. */
export interface CommonTable {
  readonly alias: string
  readonly columns: readonly string[]
  readonly sealed: ReadonlyMap<string, Sealed>
}

/** What names mean at one place of a query: its own sources first, then those around it. */
export class Scope {
  readonly pluginId: string
  readonly #parent: Scope | undefined
  readonly #sources: Source[] = []
  readonly #tables = new Map<string, CommonTable>()

  constructor(pluginId: string, parent?: Scope) {
    this.pluginId = pluginId
    this.#parent = parent
  }

  get sources(): readonly Source[] {
    return this.#sources
  }

  addSource(source: Source): void {
    if (this.#sources.some(({ name }) => name === source.name))
      throw queryError(`The query has two tables called "${source.name}"`, 'Give one of them an alias.')
    this.#sources.push(source)
  }

  addTable(name: string, table: CommonTable): void {
    if (this.#tables.has(name)) throw queryError(`The query has two tables called "${name}"`)
    this.#tables.set(name, table)
  }

  findTable(name: string): CommonTable | undefined {
    return this.#tables.get(name) ?? this.#parent?.findTable(name)
  }

  /** Name in the database of the source that the column belongs to. Throws when the plugin may not use it. */
  resolve(column: string, table?: string): string {
    const found = this.#sources.filter(
      ({ name, columns }) => (table === undefined || name === table) && columns.has(column),
    )
    if (found.length > 1)
      throw queryError(`"${column}" may be of several tables`, `Write ${found[0]?.name}.${column}.`)
    const [source] = found
    if (source) return this.#use(source, column)
    const hidden = table !== undefined && this.#sources.some(({ name }) => name === table)
    if (this.#parent && !hidden) return this.#parent.resolve(column, table)
    throw queryError(
      `There is no column "${table === undefined ? '' : `${table}.`}${column}" in what the query reads from`,
    )
  }

  #use({ alias, columns }: Source, column: string): string {
    const { refused, use } = columns.get(column) as ScopeColumn
    if (refused) throw permissionError(this.pluginId, refused.permission, refused.name)
    use?.()
    return alias
  }

  /** Whether every row has a value there, as far as the query's own tables say. */
  isPresent(column: string, table?: string): boolean {
    const found = this.#sources.filter(
      ({ name, columns }) => (table === undefined || name === table) && columns.has(column),
    )
    return found.length === 1 && found[0]?.columns.get(column)?.present === true
  }

  /** Whether the column's values are sealed; asked of a name that `resolve` found. */
  sealedOf(column: string, table?: string): Sealed | undefined {
    const found = this.#sources.find(
      ({ name, columns }) => (table === undefined || name === table) && columns.has(column),
    )
    return found ? found.columns.get(column)?.sealed : this.#parent?.sealedOf(column, table)
  }

  /** Columns of `*`, or of `table.*`, in order: those that the plugin may have. */
  expand(table?: string): { alias: string; column: string; sealed: Sealed | undefined }[] {
    const sources = this.#sources.filter(({ name }) => table === undefined || name === table)
    if (sources.length === 0) throw queryError(`There is no table "${table ?? '*'}" to select all of`)
    return sources.flatMap(({ alias, columns }) =>
      [...columns]
        .filter(([, { refused }]) => refused === undefined)
        .map(([column, { use, sealed }]) => {
          use?.()
          return { alias, column, sealed }
        }),
    )
  }
}
