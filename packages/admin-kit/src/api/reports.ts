import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, read, until } from './client.ts'
import { readFile } from './http.ts'

const one = api.reports[':id']

export type Report = InferResponseType<typeof api.reports.$get>['reports'][number]
export type ReportBlockInfo = Report['blocks'][number]
export type ReportRun = InferResponseType<typeof one.run.$post>
export type ReportQuestion = InferRequestType<typeof one.run.$post>['json']
export type Home = InferResponseType<typeof api.home.$get>
export type Tile = Home['tiles'][number]
export type Attention = Home['attention'][number]

export const listReports = (signal?: AbortSignal) => read(api.reports.$get({}, until(signal)))
export const runReport = (id: string, question: ReportQuestion, signal?: AbortSignal) =>
  read(one.run.$post({ ...at(id), json: question }, until(signal)))
export const exportReport = async (id: string, question: InferRequestType<typeof one.export.$post>['json']) =>
  readFile(await one.export.$post({ ...at(id), json: question }))
export const getHome = (signal?: AbortSignal) => read(api.home.$get({}, until(signal)))
