import { userError } from '@huitou/plugin-api'
import { type Context, Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { checkRole, type CollectionView, mayRead, toCollectionView } from './collection-view.ts'
import type { Collections } from './collections.ts'
import type { Definition } from './definition.ts'
import { parseFilter } from './filter.ts'
import type { RecordSearch } from './find.ts'
import { type HistoryEntry, readHistory } from './history.ts'
import { authorNames } from '../people/author-names.ts'
import { customerNames, namesIn, recordTitles, type RecordNames } from './record-names.ts'
import type { StoredRecord } from './record.ts'
import { startBulkDelete } from './bulk-delete.ts'

export interface CollectionDeps extends Pick<CoreContext, 'database' | 'clock' | 'points' | 'jobs' | 'log'> {
  collections: Collections
}

const Named = z.object({ plugin: z.string().max(120), collection: z.string().max(64) })
const One = Named.extend({ id: z.string().max(64) })
const fieldList = z
  .string()
  .max(2_000)
  .optional()
  .transform((names) => names?.split(',').filter(Boolean))
const Sort = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*(:(asc|desc))?$/, 'is a field, or field:desc')
const Search = z.object({
  /** A filter as JSON. */
  filter: z.string().max(20_000).optional(),
  search: z.string().max(200).optional(),
  sort: Sort.optional(),
  cursor: z.string().max(2_000).optional(),
  fields: fieldList,
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
})
const Groups = Search.pick({ filter: true, search: true }).extend({
  by: z.string().max(64),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
const Data = z.record(z.string().max(64), z.json())
const Ids = z.object({ ids: z.array(z.string().max(64)).min(1).max(1_000) })
const Doomed = z.union([Ids, z.object({ filter: z.json(), expected: z.number().int().min(0) })])

export interface RecordAnswer {
  records: StoredRecord[]
  names: RecordNames
  cursor: string | null
  /** How many there are in all; told with the first page. */
  total: number | null
}

/** How many are gone, or the job that takes them out. */
export interface DeleteAnswer {
  deleted: number | null
  jobId: string | null
}

const tags = ['collections']

/** Records of plugins, mounted at `/api/collections`. */
export function collectionRoutes(deps: CollectionDeps) {
  const { collections, database, clock, points } = deps
  const { db } = database
  const open = async (
    c: Context<SignedIn>,
    { plugin, collection }: z.infer<typeof Named>,
    what: 'read' | 'write',
  ) => {
    const definition = await collections.definition(`${plugin}/${collection}`)
    checkRole(definition, c.get('user').role, what)
    return definition
  }
  const writer = (c: Context<SignedIn>) => {
    const { id, locale } = c.get('user')
    return { by: `person:${id}` as const, locale }
  }
  const note = async (c: Context<SignedIn>, action: string, { id }: Definition, details: object) => {
    await audit(db, clock, { userId: c.get('user').id, action: `record.${action}`, subject: id, details })
  }
  const answer = async (
    c: Context<SignedIn>,
    definition: Definition,
    record: StoredRecord,
    status: 200 | 201 = 200,
  ) => {
    c.header('ETag', `"${record.version}"`)
    return answerJson(c, { record, names: await namesIn(db, definition, [record]) }, status)
  }
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags, summary: 'Collections of enabled plugins that one may read' }),
      async (c) => {
        const { role } = c.get('user')
        const definitions = await Promise.all(
          // One that could not be brought up to date is told of where its plugin is.
          points.collections.list().map(({ id }) => collections.definition(id).catch(() => undefined)),
        )
        const views = definitions
          .filter((definition) => definition !== undefined)
          .filter(({ declaration }) => mayRead(declaration, role))
          .map((definition) => toCollectionView(definition, role, database.vault))
        return answerJson<{ collections: CollectionView[] }>(c, { collections: views })
      },
    )
    .get(
      '/:plugin/:collection',
      describeRoute({ tags, summary: 'One collection' }),
      validate('param', Named),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'read')
        return answerJson<CollectionView>(c, toCollectionView(definition, c.get('user').role, database.vault))
      },
    )
    .get(
      '/:plugin/:collection/records',
      describeRoute({ tags, summary: 'Records, a page at a time' }),
      validate('param', Named),
      validate('query', Search),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'read')
        const { limit, cursor, fields, ...rest } = c.req.valid('query')
        const search: RecordSearch = { ...toSearch(rest), limit, cursor, fields }
        const [page, total] = await Promise.all([
          collections.find(definition.id, search),
          cursor === undefined ? collections.count(definition.id, search) : null,
        ])
        const names = await namesIn(db, definition, page.records)
        return answerJson<RecordAnswer>(c, {
          records: page.records,
          names,
          cursor: page.cursor ?? null,
          total,
        })
      },
    )
    .get(
      '/:plugin/:collection/groups',
      describeRoute({ tags, summary: 'How many records have each value of a field' }),
      validate('param', Named),
      validate('query', Groups),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'read')
        const { by: field, limit, ...rest } = c.req.valid('query')
        const groups = await collections.groups(definition.id, { field, limit, ...toSearch(rest) })
        const { kind, target } = definition.byName.get(field) ?? { kind: 'text', target: null }
        const values = groups.map(({ value }) => value).filter((value) => value !== null)
        const names =
          kind === 'customer'
            ? await customerNames(db, values as number[])
            : target !== null
              ? await recordTitles(db, target, values as string[])
              : {}
        return c.json({
          groups: groups.map((group) => ({ ...group, name: names[String(group.value)] ?? null })),
        })
      },
    )
    .post(
      '/:plugin/:collection/records',
      describeRoute({ tags, summary: 'A new record' }),
      validate('param', Named),
      validate('json', z.object({ data: Data })),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'write')
        const record = await collections.insert(definition.id, c.req.valid('json').data, writer(c))
        await note(c, 'insert', definition, { record: record.id })
        return await answer(c, definition, record, 201)
      },
    )
    .post(
      '/:plugin/:collection/records/delete',
      describeRoute({ tags, summary: 'Delete many: by id at once, by filter as a job' }),
      validate('param', Named),
      validate('json', Doomed),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'write')
        const doomed = c.req.valid('json')
        if ('ids' in doomed) {
          const deleted = await collections.delete(definition.id, doomed.ids, writer(c))
          await note(c, 'delete', definition, { records: deleted })
          return answerJson<DeleteAnswer>(c, { deleted, jobId: null })
        }
        const job = await startBulkDelete(deps, definition, {
          ...writer(c),
          ...doomed,
          filter: parseFilter(doomed.filter),
        })
        await note(c, 'delete', definition, { records: doomed.expected, job: job.id })
        return answerJson<DeleteAnswer>(c, { deleted: null, jobId: job.id })
      },
    )
    .post(
      '/:plugin/:collection/records/undelete',
      describeRoute({ tags, summary: 'Bring deleted records back' }),
      validate('param', Named),
      validate('json', Ids),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'write')
        const restored = await collections.undelete(definition.id, c.req.valid('json').ids, writer(c))
        await note(c, 'undelete', definition, { records: restored })
        return c.json({ restored })
      },
    )
    .get(
      '/:plugin/:collection/records/:id',
      describeRoute({ tags, summary: 'One record; its version is the ETag' }),
      validate('param', One),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'read')
        return await answer(c, definition, await collections.get(definition.id, c.req.valid('param').id))
      },
    )
    .get(
      '/:plugin/:collection/records/:id/history',
      describeRoute({ tags, summary: 'Versions of a record, the latest first' }),
      validate('param', One),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'read')
        const entries = await readHistory(db, definition, c.req.valid('param').id)
        const authors = await authorNames(
          db,
          entries.map(({ by }) => by),
        )
        return answerJson<{ entries: HistoryEntry[]; authors: Record<string, string> }>(c, {
          entries,
          authors,
        })
      },
    )
    .put(
      '/:plugin/:collection/records/:id',
      describeRoute({ tags, summary: 'Replace a record; If-Match holds the version it was made on' }),
      validate('param', One),
      validate('json', z.object({ data: Data })),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'write')
        const { id } = c.req.valid('param')
        const change = { ...writer(c), data: c.req.valid('json').data, replace: true, version: versionOf(c) }
        const record = await collections.update(definition.id, id, change)
        await note(c, 'update', definition, { record: id })
        return await answer(c, definition, record)
      },
    )
    .patch(
      '/:plugin/:collection/records/:id',
      describeRoute({ tags, summary: 'Change fields; null takes a value out' }),
      validate('param', One),
      validate('json', z.object({ data: Data })),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'write')
        const { id } = c.req.valid('param')
        const change = { ...writer(c), data: c.req.valid('json').data, version: versionOf(c) }
        const record = await collections.update(definition.id, id, change)
        await note(c, 'update', definition, { record: id })
        return await answer(c, definition, record)
      },
    )
    .delete(
      '/:plugin/:collection/records/:id',
      describeRoute({ tags, summary: 'Delete a record' }),
      validate('param', One),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'write')
        const { id } = c.req.valid('param')
        await collections.get(definition.id, id)
        await collections.delete(definition.id, [id], { ...writer(c), version: versionOf(c) })
        await note(c, 'delete', definition, { record: id })
        return c.json({ deleted: 1 })
      },
    )
}

/** A search as it stands in an address. */
export function toSearch({
  filter,
  search,
  sort,
}: {
  filter?: string | undefined
  search?: string | undefined
  sort?: string | undefined
}) {
  const [field = '', dir] = sort?.split(':') ?? []
  return {
    ...(filter === undefined ? {} : { filter: parseFilter(readJson(filter)) }),
    search,
    ...(sort === undefined
      ? {}
      : { sort: { field, dir: dir === 'desc' ? ('desc' as const) : ('asc' as const) } }),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw userError('E_FILTER', 'The filter is not JSON', { cause, details: { reason: 'it is not JSON' } })
  }
}

/** Version in `If-Match`; a change without one holds whatever happened meanwhile. */
function versionOf(c: Context): number | undefined {
  const header = c.req.header('if-match')
  if (header === undefined || header === '*') return undefined
  const version = Number(/^(?:W\/)?"?(\d+)"?$/.exec(header.trim())?.[1])
  if (Number.isInteger(version)) return version
  throw userError('E_IF_MATCH', 'If-Match holds the version of a record, for instance "3"', {
    hint: 'It is the ETag that came with the record.',
  })
}
