import { createWriteStream, existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import {
  countFilled,
  eraseBuiltinSegments,
  eraseColumns,
  eraseScores,
  exportColumns,
  findWished,
  forgetPlugin,
  listOwnedColumns,
  type PluginData,
  transact,
} from '@huitou/core'
import { columnPrefix, notFound } from '@huitou/plugin-api'
import type { PluginContext } from './plugin-context.ts'

/** What a plugin keeps beside columns and settings: seen, taken along and erased with it. */
export interface DataPart {
  describe(pluginId: string): Promise<Partial<Pick<PluginData, 'collections' | 'storageBytes'>>>
  /** Lines of the export. Secrets are never among them. */
  export(pluginId: string): AsyncIterable<object>
  erase(pluginId: string): Promise<void>
}

/** What a plugin owns here. */
export async function describeData(context: PluginContext, id: string): Promise<PluginData> {
  const { core, host } = context
  const columns = await listOwnedColumns(core.database.db, id)
  const counts = await countFilled(
    core.database,
    columns.map(({ name }) => name),
  )
  const wished = await findWished(core.database.db, id)
  const described = await Promise.all(context.data.map((part) => part.describe(id)))
  return {
    columns: columns.map(({ name, title, kind }) => ({
      name,
      title,
      kind,
      customers: Number(counts[name] ?? 0),
    })),
    collections: described.flatMap(({ collections = [] }) => collections),
    storageBytes: described.reduce((sum, { storageBytes = 0 }) => sum + storageBytes, 0),
    settings: Object.keys(wished?.settings ?? {}),
    dependents: host
      .list()
      .filter(({ manifest }) => manifest.pluginDependencies?.includes(id))
      .map((plugin) => plugin.id),
  }
}

/** Writes all that a plugin owns into one file of JSON lines, packed. Returns the file's name. */
export async function exportData(context: PluginContext, id: string): Promise<string> {
  const { core } = context
  const stamp = new Date(core.clock.now()).toISOString().replaceAll(/[:.]/g, '-')
  const name = `${id}-${stamp}.jsonl.gz`
  const folder = exportFolder(context)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await pipeline(
    Readable.from(lines(context, id)),
    createGzip(),
    createWriteStream(path.join(folder, name), { mode: 0o600 }),
  )
  return name
}

async function* lines(context: PluginContext, id: string): AsyncGenerator<string> {
  const { core, box } = context
  const line = (value: object) => `${JSON.stringify(value)}\n`
  const wished = await findWished(core.database.db, id)
  yield line({ type: 'plugin', id, version: wished?.version ?? null, exportedAt: core.clock.now() })
  for (const [name, value] of Object.entries(wished?.settings ?? {}))
    if (!box.isSealed(value)) yield line({ type: 'setting', name, value })
  const columns = await listOwnedColumns(core.database.db, id)
  for (const { name, kind, title } of columns) yield line({ type: 'column', name, kind, title })
  const names = columns.map(({ name }) => name)
  for await (const rows of exportColumns(core.database, names)) {
    yield rows.map(({ key, ...values }) => line({ type: 'customer', key, values })).join('')
  }
  for (const part of context.data) for await (const each of part.export(id)) yield line(each)
}

/** Erases all that a plugin owns, and forgets it. */
export async function eraseData({ core, data }: PluginContext, id: string): Promise<void> {
  const columns = await listOwnedColumns(core.database.db, id)
  await eraseColumns(
    core.database,
    columns.map(({ name }) => name),
  )
  for (const part of data) await part.erase(id)
  await transact(core.database.db, async (tx) => {
    await eraseBuiltinSegments(tx, id)
    await eraseScores(tx, columnPrefix({ name: id.slice(id.indexOf('.') + 1) }))
    await forgetPlugin(tx, id)
  })
}

/** Path of a file that {@link exportData} wrote. Throws `E_NOT_FOUND` for any other name. */
export function exportPath(context: Pick<PluginContext, 'core'>, name: string): string {
  const file = path.join(exportFolder(context), name)
  if (!/^[\w-][\w.-]*\.jsonl\.gz$/.test(name) || !existsSync(file)) throw notFound('Export', name)
  return file
}

function exportFolder({ core }: Pick<PluginContext, 'core'>): string {
  return path.join(core.dataDir, 'plugin-exports')
}
