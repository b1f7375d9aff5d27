import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { RowGroup, RowProblem, SourceRow, Texts } from '@huitou/plugin-api'
import Sqlite from 'better-sqlite3'
import type { NewEvent } from '../events/normalize.ts'
import { toDiskError } from './file-errors.ts'
import { toTexts } from './row-problems.ts'
import { prepareStage, STAGE_INDEX } from './stage-file.ts'

/** Where sorting stands among the staged rows; groups come in the order of their keys. */
export interface StagePosition {
  key: string
  row: number
}

export const STAGE_START: StagePosition = { key: '', row: 0 }

/** So few rows are sorted faster than a thread starts. */
const SORTED_HERE = 20_000

/** Events repeat themselves: the fastest way to pack them leaves a tenth. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Rows that belong to nobody else's group. */
const ALONE = ''

export interface StagedRow {
  row: number
  key: string
  cells: string
}

export interface StagedGroups {
  groups: RowGroup[]
  rows: number
  next: StagePosition
  /** Key of a group with more rows than can be looked at together; it is passed over. */
  oversized?: { key: string; firstRow: number; rows: number }
}

/** Events of some whole groups, in the order in which they go to the log, and how many rows and groups they are of. */
export interface EventBatch {
  rows: number
  groups: number
  events: NewEvent[]
}

export interface StagedProblem extends Omit<RowProblem, 'message' | 'choices'> {
  message: Texts
  /** The row as it was. */
  cells: string[]
}

/**
 * Rows of one file in a SQLite file of its own, so that lines of an order that stand far apart come together while
 * memory stays flat, and the events that a check made of them, so that nothing is left for an import but to append.
 Not in the main database: gigabytes written and deleted there would stay as its size, and
 * ingestion would wait for them. The file is only worth something once `seal` has returned.
 */
export class Stage {
  readonly #file: string
  #db!: Sqlite.Database
  #insertRow!: Sqlite.Statement
  #insertProblem!: Sqlite.Statement
  #readAfter!: Sqlite.Statement

  private constructor(db: Sqlite.Database, file: string) {
    this.#file = file
    this.#connect(db)
  }

  /** An empty stage; one that is there is thrown away. */
  static create(file: string): Stage {
    rmSync(file, { force: true })
    const db = openFile(file)
    db.exec(`
      create table staged_rows (row integer primary key, key text not null, cells text not null);
      create table problems (id integer primary key, row integer not null, code text not null, message text not null, column_name text, value text, outcome text not null);
      create table refused_rows (row integer primary key, cells text not null);
      create table batches (number integer primary key, rows integer not null, groups integer not null, events blob not null);
      create table people (id text primary key, known integer not null) without rowid;
    `)
    return new Stage(db, file)
  }

  static open(file: string): Stage {
    return new Stage(openFile(file), file)
  }

  addRows(rows: readonly SourceRow[], keys: readonly (string | null)[]): void {
    this.#write(() => {
      for (const [index, { row, cells }] of rows.entries())
        this.#insertRow.run(row, keys[index] ?? ALONE, JSON.stringify(cells))
    })
  }

  addProblems(problems: readonly RowProblem[]): void {
    if (problems.length === 0) return
    this.#write(() => {
      for (const { row, code, message, column, value, outcome } of problems) {
        const texts = JSON.stringify(toTexts(message))
        this.#insertProblem.run(row, code, texts, column ?? null, value ?? null, outcome)
      }
    })
  }

  /** Rows that take no part, kept for the file of problems. */
  addRefused(rows: readonly SourceRow[]): void {
    if (rows.length === 0) return
    const insert = this.#db.prepare('insert into refused_rows (row, cells) values (?, ?)')
    this.#write(() => {
      for (const { row, cells } of rows) insert.run(row, JSON.stringify(cells))
    })
  }

  /** Adds people by their names in the file. Known is who was so in any of their rows. */
  addPeople(people: ReadonlyMap<string, boolean>): void {
    const insert = this.#db.prepare(
      'insert into people (id, known) values (?, ?) on conflict (id) do update set known = max(known, excluded.known)',
    )
    this.#write(() => {
      for (const [id, known] of people) insert.run(id, known ? 1 : 0)
    })
  }

  /** Call after the last row: sorts the rows into groups. Many rows are sorted on a thread of their own. */
  async index(rows: number): Promise<void> {
    if (rows < SORTED_HERE) return this.#write(() => this.#db.exec(STAGE_INDEX))
    this.#db.close()
    const worker = new Worker(new URL('./stage-index-worker.ts', import.meta.url), {
      workerData: { file: this.#file },
    })
    try {
      await once(worker, 'exit')
    } catch (error) {
      throw toDiskError(error)
    } finally {
      this.#connect(openFile(this.#file))
    }
  }

  countPeople(): { customers: number; newCustomers: number } {
    return this.#db
      .prepare('select count(*) as customers, count(*) - coalesce(sum(known), 0) as newCustomers from people')
      .get() as {
      customers: number
      newCustomers: number
    }
  }

  /** Whole groups after `position`, about `size` rows of them. No rows at all means the end. */
  readGroups(position: StagePosition, size: number, groupLimit: number): StagedGroups {
    let rows = this.#read(position, size)
    const last = rows.at(-1)
    if (last && last.key !== ALONE && rows.length === size) {
      if (rows[0]!.key === last.key) rows = this.#readGroup(last.key, groupLimit + 1)
      else rows = rows.filter(({ key }) => key !== last.key)
      if (rows.length > groupLimit && rows[0]!.key === last.key) return this.#passOver(last.key)
    }
    const groups: RowGroup[] = []
    for (const { row, key, cells } of rows) {
      const parsed = { row, cells: JSON.parse(cells) as string[] }
      const group = groups.at(-1)
      if (group && key !== ALONE && group.key === key) group.rows.push(parsed)
      else groups.push({ key, rows: [parsed] })
    }
    const end = rows.at(-1)
    return { groups, rows: rows.length, next: end ? { key: end.key, row: end.row } : position }
  }

  /** The groups of the rows that come first in the file. */
  firstGroups(count: number): RowGroup[] {
    const rows = this.#db
      .prepare('select row, key, cells from staged_rows order by row limit ?')
      .all(count) as StagedRow[]
    const groups = new Map<string, RowGroup>()
    for (const { row, key, cells } of rows) {
      const id = key === ALONE ? `${row}` : `=${key}`
      if (groups.has(id)) continue
      const members = key === ALONE ? [{ row, key, cells }] : this.#readGroup(key, 100)
      groups.set(id, {
        key,
        rows: members.map((member) => ({ row: member.row, cells: JSON.parse(member.cells) as string[] })),
      })
    }
    return [...groups.values()]
  }

  /** Batches are read back in the order in which they were added. */
  addBatch({ rows, groups, events }: EventBatch): void {
    const packed = zstdCompressSync(JSON.stringify(events), FAST)
    const insert = this.#db.prepare('insert into batches (rows, groups, events) values (?, ?, ?)')
    this.#write(() => insert.run(rows, groups, packed))
  }

  /** The batch after the `number`th; undefined when that was the last. */
  findBatch(number: number): EventBatch | undefined {
    const found = this.#db
      .prepare('select rows, groups, events from batches where number = ?')
      .get(number + 1) as (Omit<EventBatch, 'events'> & { events: Buffer }) | undefined
    return (
      found && { ...found, events: JSON.parse(zstdDecompressSync(found.events).toString()) as NewEvent[] }
    )
  }

  /** Problems in file order with the row they are about. */
  *problems(): Generator<StagedProblem> {
    const query = this.#db.prepare(
      `select p.row, p.code, p.message, p.column_name, p.value, p.outcome, coalesce(r.cells, f.cells) as cells
       from problems p left join staged_rows r on r.row = p.row left join refused_rows f on f.row = p.row order by p.row, p.id`,
    )
    type Found = Omit<StagedProblem, 'column' | 'message' | 'cells'> & {
      message: string
      column_name: string | null
      cells: string | null
    }
    for (const { column_name, cells, message, ...problem } of query.iterate() as IterableIterator<Found>) {
      yield {
        ...problem,
        message: JSON.parse(message) as Texts,
        column: column_name ?? undefined,
        cells: cells === null ? [] : (JSON.parse(cells) as string[]),
      }
    }
  }

  /** Problem `problem` for every row of a group. */
  addGroupProblem(key: string, problem: Omit<RowProblem, 'row'>): void {
    this.#write(() =>
      this.#db
        .prepare(
          'insert into problems (row, code, message, value, outcome) select row, ?, ?, ?, ? from staged_rows where key = ?',
        )
        .run(
          problem.code,
          JSON.stringify(toTexts(problem.message)),
          problem.value ?? null,
          problem.outcome,
          key,
        ),
    )
  }

  /** Closes the file. */
  close(): void {
    this.#db.close()
  }

  /** Closes the file; resolves once it is on disk, power cut or not. */
  async seal(): Promise<void> {
    this.close()
    await using file = await open(this.#file, 'r+')
    await file.sync()
  }

  #connect(db: Sqlite.Database): void {
    this.#db = db
    this.#insertRow = db.prepare('insert into staged_rows (row, key, cells) values (?, ?, ?)')
    this.#insertProblem = db.prepare(
      'insert into problems (row, code, message, column_name, value, outcome) values (?, ?, ?, ?, ?, ?)',
    )
    this.#readAfter = db.prepare(
      'select row, key, cells from staged_rows where (key, row) > (?, ?) order by key, row limit ?',
    )
  }

  #passOver(key: string): StagedGroups {
    const query = this.#db.prepare(
      'select count(*) as rows, min(row) as firstRow, max(row) as lastRow from staged_rows where key = ?',
    )
    const { rows, firstRow, lastRow } = query.get(key) as { rows: number; firstRow: number; lastRow: number }
    return { groups: [], rows, next: { key, row: lastRow }, oversized: { key, firstRow, rows } }
  }

  #read({ key, row }: StagePosition, limit: number): StagedRow[] {
    return this.#readAfter.all(key, row, limit) as StagedRow[]
  }

  #readGroup(key: string, limit: number): StagedRow[] {
    return this.#db
      .prepare('select row, key, cells from staged_rows where key = ? order by row limit ?')
      .all(key, limit) as StagedRow[]
  }

  #write(work: () => void): void {
    try {
      this.#db.transaction(work)()
    } catch (error) {
      throw toDiskError(error)
    }
  }
}

function openFile(file: string): Sqlite.Database {
  const db = new Sqlite(file)
  prepareStage(db)
  return db
}
