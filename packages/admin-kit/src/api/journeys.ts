import type { JourneyDefinition } from '@huitou/core/journeys/definition'
import type { MaybeLocalized } from '../composables/use-localized.ts'
import type { UnderWay } from '@huitou/core/journeys/stop-all'
import type { JourneyResults } from '@huitou/core/experiments/journey-results'
import { send } from './http.ts'
import { readJob } from './jobs.ts'
import type { Job, SentJob } from './jobs.ts'
import type { Localized } from './localized.ts'

export type {
  Duration,
  EventMatch,
  JourneyDefinition,
  JourneyNode,
  PropertyFilter as EventFilter,
  Trigger,
} from '@huitou/core/journeys/definition'

export type JourneyState = 'draft' | 'live' | 'paused' | 'ended'

export interface JourneySummary {
  id: string
  name: string
  state: JourneyState
  publishedVersion: number | null
  updatedAt: number
  /** Customers under way. */
  active: number
  /** Customers who ever came in. */
  entered: number
}

export interface Journey {
  id: string
  name: string
  state: JourneyState
  publishedVersion: number | null
  draft: JourneyDefinition
  updatedAt: number
  /** Template that it was made from, and what was chosen there. */
  template?: string
  parameters?: Record<string, unknown>
  /** Its plugin has another version of the template by now. */
  newerTemplate?: boolean
  /** What has become wrong with the version that runs. */
  mistakesInForce?: JourneyMistake[]
}

/** What keeps a journey from being published, and where. */
export interface JourneyMistake {
  code: string
  path: string
  message: string
}

/** What happened at one step; `$entry`, `$goal` and `$exit` are the doors. */
export interface StepStats {
  node: string
  entered: number
  /** Who stands there now. */
  waiting: number
  /** Who went on from there. */
  done: number
  /** Who left the journey from there. */
  left: number
  outcomes: Record<string, number>
  /** What became of its messages and actions, by state. */
  deliveries?: Record<string, number>
}

export interface JourneyVersion {
  version: number
  definition: JourneyDefinition
  publishedAt: number
  publishedBy: string
  /** Who is under way on it. */
  active?: number
}

/** A customer in a journey. */
export interface Enrolment {
  id: number
  customer: { id: number; name: string } | null
  version: number
  node: string
  state: 'active' | 'waiting' | 'done' | 'exited' | 'failed'
  arm: 'treated' | 'holdout'
  isTest?: boolean
  entryKey?: string
  enteredAt: number
  dueAt: number | null
  waitingFor?: string | null
  endedAt: number | null
  endedReason: string | null
  goalAt: number | null
}

/** What is offered to a journey: what it may do, and when it may begin. */
export interface JourneyPoints {
  actions: {
    id: string
    title: Localized
    description: Localized | null
    icon: string | null
    input: Record<string, unknown> | null
  }[]
  conditions: {
    id: string
    title: Localized
    description: Localized | null
    icon: string | null
    options: Record<string, unknown> | null
  }[]
  festivals: { id: string; title: Localized; next: string }[]
}

/** A journey that a plugin brings, ready to be switched on. */
export interface JourneyTemplate {
  id: string
  version: string
  owner: string
  title: Localized
  description: Localized | null
  icon: string | null
  group: Localized | null
  expected: Localized | null
  parameters: Record<string, unknown>
  missing: { kind: string; id: string; hint?: MaybeLocalized }[]
  /** As it stands with every default; null where some parameter has none. */
  definition: JourneyDefinition | null
}

export type { JourneyResults, ResultArm, ResultComparison } from '@huitou/core/experiments/journey-results'

/** A channel as a journey needs it. */
export interface JourneyChannel {
  id: string
  title: Localized
  icon: string | null
  content: Record<string, unknown>
  accounts: { id: string; name: string; active: boolean }[]
}

async function ask<T>(path: string, { method, body, signal }: Ask = {}): Promise<T> {
  const answer = await send(`/api/${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    ...(signal ? { signal } : {}),
  })
  return (await answer.json()) as T
}

interface Ask {
  method?: string
  body?: unknown
  signal?: AbortSignal | undefined
}

const one = (id: string) => `journeys/${encodeURIComponent(id)}`

export const listJourneys = (signal?: AbortSignal) =>
  ask<{ journeys: JourneySummary[] }>('journeys', { signal })
export const getJourney = (id: string, signal?: AbortSignal) => ask<Journey>(one(id), { signal })
export const createJourney = (journey: { name: string; definition: unknown }) =>
  ask<Journey>('journeys', { body: journey })
/** With `basedOn` refused (`E_JOURNEY_CHANGED`) when somebody else changed it since. */
export const saveJourney = (id: string, change: { name?: string; definition?: unknown; basedOn?: number }) =>
  ask<Journey>(one(id), { method: 'PUT', body: change })
export const checkJourney = (definition: unknown, signal?: AbortSignal) =>
  ask<{ mistakes: JourneyMistake[] }>('journeys/check', { body: { definition }, signal })
export const publishJourney = (id: string) => ask<Journey>(`${one(id)}/publish`, { body: {} })
export const changeJourney = (id: string, change: 'pause' | 'resume' | 'end') =>
  ask<Journey>(`${one(id)}/${change}`, { body: {} })
/** What ending a journey is about. */
export const getUnderWay = (id: string, signal?: AbortSignal) =>
  ask<UnderWay>(`${one(id)}/under-way`, { signal })
/** Ends it and takes everybody out, as a job. */
export const stopJourney = (id: string) => ask<UnderWay & { jobId: string }>(`${one(id)}/stop`, { body: {} })
export const getJourneyStats = (id: string, signal?: AbortSignal) =>
  ask<{ nodes: StepStats[] }>(`${one(id)}/stats`, { signal })
export const getJourneyVersions = (id: string, signal?: AbortSignal) =>
  ask<{ versions: JourneyVersion[] }>(`${one(id)}/versions`, { signal })
export const getJourneyPoints = (signal?: AbortSignal) => ask<JourneyPoints>('journeys/points', { signal })
export const listEnrolments = (
  id: string,
  query: Record<string, string | number | undefined>,
  signal?: AbortSignal,
) => {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  )
  return ask<{ enrolments: Enrolment[]; next?: number }>(
    `${one(id)}/enrolments?${new URLSearchParams(given)}`,
    { signal },
  )
}
export const stopEnrolment = (id: string, enrolment: number) =>
  ask<unknown>(`${one(id)}/enrolments/${enrolment}/stop`, { body: {} })
export const listJourneyTemplates = (signal?: AbortSignal) =>
  ask<{ templates: JourneyTemplate[] }>('journey-templates', { signal })
export const createFromTemplate = (body: {
  template: string
  parameters: Record<string, unknown>
  name?: string
}) => ask<Journey>('journeys/from-template', { body })
/** Builds the draft anew; what was changed by hand stays. */
export const changeParameters = (id: string, parameters: Record<string, unknown>) =>
  ask<Journey>(`${one(id)}/parameters`, { method: 'PUT', body: { parameters } })
/** The draft that `changeParameters` would make. */
export const previewParameters = (id: string, parameters: Record<string, unknown>) =>
  ask<{ definition: JourneyDefinition }>(`${one(id)}/parameters/preview`, { body: { parameters } })
/** Runs a draft over the past; what comes out is the job's result. */
export const rehearseJourney = (journeyId: string, definition: unknown, days = 90) =>
  ask<{ jobId: string }>('journeys/rehearse', { body: { journeyId, definition, days } })
/** The latest rehearsal of a journey's draft, whoever asked for it. */
export async function getRehearsal(id: string, signal?: AbortSignal): Promise<{ job: Job | null }> {
  const { job } = await ask<{ job: SentJob | null }>(`${one(id)}/rehearsal`, { signal })
  return { job: job && readJob(job) }
}
export const testJourney = (
  id: string,
  trial: { customerId: number; waits: 'skip' | 'real'; event?: Record<string, unknown> },
) => ask<unknown>(`${one(id)}/test`, { body: trial })
export const getJourneyResults = (id: string, signal?: AbortSignal) =>
  ask<JourneyResults>(`${one(id)}/results`, { signal })
export const listJourneyChannels = (signal?: AbortSignal) =>
  ask<{ channels: JourneyChannel[] }>('channels', { signal })
/** Message templates that a send step may name. */
export const listJourneyTexts = (signal?: AbortSignal) =>
  ask<{ templates: { id: string; name: string; channel: string }[] }>('templates', { signal })
