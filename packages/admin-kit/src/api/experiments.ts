import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'

const one = api.experiments[':id']

export type Experiment = InferResponseType<typeof one.$get>
export type ExperimentResults = InferResponseType<typeof one.results.$get>
export type MetricResult = ExperimentResults['metrics'][number]
export type ArmComparison = MetricResult['comparisons'][number]
export type ExperimentDefinition = InferRequestType<typeof api.experiments.$post>['json']['definition']
export type PlanRequest = InferRequestType<typeof api.experiments.plan.$post>['json']
export type Plan = InferResponseType<typeof api.experiments.plan.$post>

export const listExperiments = (signal?: AbortSignal) => read(api.experiments.$get({}, until(signal)))
export const getExperiment = (id: string, signal?: AbortSignal) => read(one.$get(at(id), until(signal)))
export const createExperiment = (draft: { name: string; definition: ExperimentDefinition }) =>
  read(api.experiments.$post({ json: draft }))
export const saveExperiment = (id: string, draft: { name?: string; definition?: ExperimentDefinition }) =>
  read(one.$put({ ...at(id), json: draft }))
export const deleteExperiment = (id: string) => done(one.$delete(at(id)))
/** Assigns and counts from now on. */
export const startExperiment = (id: string) => read(one.start.$post(at(id)))
/** Takes in nobody from now on. */
export const endExperiment = (id: string) => read(one.end.$post(at(id)))
export const getExperimentResults = (id: string, signal?: AbortSignal) =>
  read(one.results.$get(at(id), until(signal)))
export const planExperiment = (plan: PlanRequest, signal?: AbortSignal) =>
  read(api.experiments.plan.$post({ json: plan }, until(signal)))
/** The customers in an arm, or those of them who have a figure by a metric. */
export const listExperimentCustomers = (
  id: string,
  { arm, metric, after }: { arm: string; metric?: string | undefined; after?: number | undefined },
  signal?: AbortSignal,
) => read(one.customers.$get({ ...at(id), query: { arm, metric, after: after?.toString() } }, until(signal)))
