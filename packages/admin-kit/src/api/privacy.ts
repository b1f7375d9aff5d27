import type { InferRequestType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'
import { readFile } from './http.ts'

const customer = api.customers[':id{[0-9]+}']
const privacy = api.privacy

export type RetentionRules = InferRequestType<typeof privacy.retention.$put>['json']
type Name = InferRequestType<typeof privacy.suppressions.find.$post>['json']

/** Files that left, newest first. */
export const listExports = (before?: number, signal?: AbortSignal) =>
  read(privacy.exports.$get({ query: before === undefined ? {} : { before: String(before) } }, until(signal)))
/** Writes down that the list on the screen is taken along; throws when nobody says what for. */
export const noteListExport = (list: { title: string; rows: number; reason: string }) =>
  done(privacy.exports.$post({ json: list }))
export const listErasures = (signal?: AbortSignal) => read(privacy.erasures.$get({}, until(signal)))
/** Puts the job in line that erases a customer from everything. `confirm` is the name, typed by hand. */
export const eraseCustomer = (id: number | string, erasure: { reason: string; confirm: string }) =>
  read(customer.erase.$post({ ...at(id), json: erasure }))
/** Everything held on a customer, as an archive. */
export const readCustomerFile = async (
  id: number | string,
  ask: { reason: string; locale: 'en' | 'zh-CN' },
) => await readFile(await customer.file.$post({ ...at(id), json: ask }))
/** When somebody of that name was erased; null when nobody was. */
export const findSuppression = (name: Name) => read(privacy.suppressions.find.$post({ json: name }))
export const liftSuppression = (name: Name & { reason: string }) =>
  done(privacy.suppressions.lift.$post({ json: name }))
export const getRetention = (signal?: AbortSignal) => read(privacy.retention.$get({}, until(signal)))
export const saveRetention = (rules: RetentionRules) => read(privacy.retention.$put({ json: rules }))
/** How many rows of each kind would go under these rules. */
export const previewRetention = (rules: RetentionRules, signal?: AbortSignal) =>
  read(privacy.retention.preview.$post({ json: rules }, until(signal)))
export const runRetention = () => read(privacy.retention.run.$post())
