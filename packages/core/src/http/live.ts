import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { streamSSE } from 'hono/streaming'
import type { CoreContext } from '../context.ts'
import { noNotices, type Notices } from '../db/notices.ts'
import { may } from '../people/permissions.ts'
import type { SignedIn } from './env.ts'

/** What a page may want to load again. */
export type Topic =
  | 'profiles'
  | 'segments'
  | 'plugins'
  | 'reports'
  | 'imports'
  | 'collections'
  | 'deliveries'
  | 'journeys'
  | 'tasks'
  | 'alerts'

const ALL: Topic[] = [
  'profiles',
  'segments',
  'plugins',
  'reports',
  'imports',
  'collections',
  'deliveries',
  'journeys',
  'tasks',
  'alerts',
]

/** Tells open pages, on every node, that something changed. Many changes within a moment become one message. */
export class LiveTopics {
  readonly #notices: Notices
  readonly #listeners = new Set<(topics: Topic[]) => void>()
  #pending = new Set<Topic>()
  #timer: NodeJS.Timeout | undefined

  constructor(notices: Notices = noNotices) {
    this.#notices = notices
    notices.on('live', (topic) => this.announceHere(topic as Topic))
    notices.on('missed', () => ALL.forEach((topic) => this.announceHere(topic)))
  }

  announce(topic: Topic): void {
    this.#notices.tell('live', topic)
    this.announceHere(topic)
  }

  /** For what every node sees by itself: its own pages only. */
  announceHere(topic: Topic): void {
    this.#pending.add(topic)
    if (this.#timer !== undefined || this.#listeners.size === 0) return
    this.#timer = setTimeout(() => {
      const topics = [...this.#pending]
      this.#pending = new Set()
      this.#timer = undefined
      for (const listener of this.#listeners) listener(topics)
    }, 500)
    this.#timer.unref()
  }

  onChange(listener: (topics: Topic[]) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

const HEARTBEAT_MS = 15_000

/** Server-sent events at `/api/live`: `job` with a job, `change` with the topics that changed. */
export function liveRoutes({ jobs, live }: Pick<CoreContext, 'jobs'> & { live: LiveTopics }) {
  return new Hono<SignedIn>().get(
    '/',
    describeRoute({ tags: ['live'], summary: 'Changes as they happen (server-sent events)' }),
    (c) => {
      const user = c.get('user')
      const seesJobs = !user.owes && may(user, 'jobs.read')
      return streamSSE(c, async (stream) => {
        const send = (event: string, data: unknown) =>
          stream.writeSSE({ event, data: JSON.stringify(data) }).catch(() => {})
        const stops = [
          ...(seesJobs ? [jobs.onChange((job) => void send('job', job))] : []),
          live.onChange((topics) => void send('change', { topics })),
        ]
        stream.onAbort(() => stops.forEach((stop) => stop()))
        await send('hello', {})
        while (!stream.aborted && !stream.closed) {
          await stream.sleep(HEARTBEAT_MS)
          await stream.write(': still here\n\n')
        }
      })
    },
  )
}
