import {
  callView,
  deleteRecords,
  findRecords,
  getRecord,
  insertRecord,
  problemOf,
  runCommand,
  toast,
  updateRecord,
} from '@huitou/admin-kit'
import type { PluginView, RecordFilter, StoredRecord } from '@huitou/admin-kit'
import type { Router } from 'vue-router'
import { recordPath } from './use-plugin-views.ts'

/** A page that asks without end is not to fill the connection of the admin's own pages. */
const AT_ONCE = 32

/** What a page of a plugin may ask, on behalf of whoever looks at it: nothing but what is its own. */
export function createWebviewCalls(view: Pick<PluginView, 'id' | 'plugin'>, router: Router) {
  const own = (id: unknown): string => {
    const full = String(id).includes('/') ? String(id) : `${view.plugin}/${String(id)}`
    if (full.startsWith(`${view.plugin}/`)) return full
    throw Object.assign(new Error(`A page may only ask for what its own plugin has, not for "${full}"`), {
      code: 'E_PERMISSION',
    })
  }
  const calls: Record<string, (parameters: Record<string, unknown>) => Promise<unknown>> = {
    async 'collections.find'({ collection, filter, search, sort, limit, cursor }) {
      const { field, direction } = (sort ?? {}) as { field?: string; direction?: string }
      const page = await findRecords(own(collection), {
        filter: filter as RecordFilter | undefined,
        search: search as string | undefined,
        sort: field && `${field}:${direction ?? 'asc'}`,
        limit: limit as number | undefined,
        cursor: cursor as string | undefined,
      })
      return {
        records: page.records.map(plain),
        ...(page.cursor ? { cursor: page.cursor } : {}),
        ...(page.total === null ? {} : { total: page.total }),
      }
    },
    async 'collections.count'({ collection, filter, search }) {
      const asked = {
        filter: filter as RecordFilter | undefined,
        search: search as string | undefined,
        limit: 1,
      }
      return (await findRecords(own(collection), asked)).total ?? 0
    },
    'collections.get': async ({ collection, id }) =>
      plain((await getRecord(own(collection), String(id))).record),
    'collections.insert': async ({ collection, data }) =>
      plain((await insertRecord(own(collection), data as Record<string, unknown>)).record),
    'collections.update': async ({ collection, id, changes, version }) =>
      plain(
        (
          await updateRecord(own(collection), String(id), {
            data: changes as Record<string, unknown>,
            version: version as number | undefined,
          })
        ).record,
      ),
    async 'collections.delete'({ collection, id }) {
      await deleteRecords(own(collection), [String(id)])
    },
    'view.call': ({ name, input }) => callView(view.id, String(name), input),
    'commands.execute': async ({ command, input }) =>
      (await runCommand(own(command), (input ?? {}) as Record<string, unknown>)).result,
    async notify({ message, kind }) {
      const kinds = { info: 'info', success: 'success', warning: 'warning', error: 'danger' } as const
      toast({ kind: kinds[kind as keyof typeof kinds] ?? 'info', title: String(message).slice(0, 300) })
    },
    async open({ customer, collection, record }) {
      const path = collection ? recordPath(own(collection), String(record)) : `/customers/${Number(customer)}`
      await router.push(path)
    },
  }

  let waiting = 0

  /** Carries out one call. Never throws: a refusal is an answer too. */
  return async (method: unknown, parameters: unknown): Promise<{ result: unknown } | { error: object }> => {
    const call = Object.hasOwn(calls, String(method)) ? calls[String(method)] : undefined
    if (waiting >= AT_ONCE) {
      return { error: { code: 'E_BUSY', message: `A page may wait for ${AT_ONCE} answers at once` } }
    }
    waiting++
    try {
      if (!call) throw new Error(`"${String(method)}" does not exist`)
      return { result: await call((parameters ?? {}) as Record<string, unknown>) }
    } catch (error) {
      const { code, title, detail, hint } = problemOf(error)
      return { error: { code: code || (error as { code?: string }).code, message: detail ?? title, hint } }
    } finally {
      waiting--
    }
  }
}

function plain({ id, data, version, createdAt, updatedAt }: StoredRecord) {
  return { id, data, version, createdAt, updatedAt }
}
