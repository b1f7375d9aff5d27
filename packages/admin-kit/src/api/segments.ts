import type { Rule } from '@huitou/core/segments/rule'
import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'

export type { ColumnOp, Rule, RuleNode, RuleValue } from '@huitou/core/segments/rule'

const one = api.segments[':id']

export type Segment = InferResponseType<typeof one.$get>
export type SegmentCount = InferResponseType<typeof api.segments.count.$post>
export type Explanation = InferResponseType<typeof api.segments.explain.$post>
type ExplainQuestion = InferRequestType<typeof api.segments.explain.$post>['json']
export type ExportFormat = NonNullable<InferRequestType<typeof one.export.$get>['query']['format']>

export const listSegments = (signal?: AbortSignal) => read(api.segments.$get({}, until(signal)))
export const getSegment = (id: string, signal?: AbortSignal) => read(one.$get(at(id), until(signal)))
export const createSegment = (segment: { name: string; rule: Rule }) =>
  read(api.segments.$post({ json: segment }))
export const saveSegment = (id: string, segment: { name: string; rule: Rule }) =>
  read(one.$put({ ...at(id), json: segment }))
export const deleteSegment = (id: string) => done(one.$delete(at(id)))
export const countSegment = (rule: Rule, signal?: AbortSignal) =>
  read(api.segments.count.$post({ json: { rule } }, until(signal)))
export const explain = (question: ExplainQuestion) => read(api.segments.explain.$post({ json: question }))
export const getSegmentHistory = (id: string, signal?: AbortSignal) =>
  read(one.history.$get({ ...at(id), query: {} }, until(signal)))
export const getSegmentOverlap = (id: string, signal?: AbortSignal) =>
  read(one.overlap.$get(at(id), until(signal)))
/** Where the browser downloads the members. */
export const segmentExportUrl = (id: string, format: ExportFormat, reason: string) =>
  one.export.$path({ ...at(id), query: { format, reason } })
