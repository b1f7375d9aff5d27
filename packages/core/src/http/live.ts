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
  /** Ends of open connections, by whose they are. */
  readonly #open = new Map<string, Set<() => void>>()
  #pending = new Set<Topic>()
  #timer: NodeJS.Timeout | undefined

  constructor(notices: Notices = noNotices) {
    this.#notices = notices
    notices.on('live', (topic) => this.announceHere(topic as Topic))
    notices.on('live-end', (user) => this.#endHere(user))
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

  /** Ends what somebody has open, on every node: what they may has changed. Whoever still may comes back at once. */
  end(user: string): void {
    this.#notices.tell('live-end', user)
    this.#endHere(user)
  }

  /** Notes an open connection of somebody; `end` is called at most once. Returns what takes the note away. */
  opened(user: string, end: () => void): () => void {
    const ends = this.#open.get(user) ?? new Set()
    this.#open.set(user, ends.add(end))
    return () => {
      ends.delete(end)
      if (ends.size === 0 && this.#open.get(user) === ends) this.#open.delete(user)
    }
  }

  #endHere(user: string): void {
    const ends = this.#open.get(user)
    this.#open.delete(user)
    for (const end of ends ?? []) end()
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
        const ended = Promise.withResolvers<void>()
        const stops: (() => void)[] = [
          ...(seesJobs ? [jobs.onChange((job) => void send('job', job))] : []),
          live.onChange((topics) => void send('change', { topics })),
          live.opened(user.id, () => {
            for (const stop of stops) stop()
            ended.resolve()
            void stream.close()
          }),
        ]
        stream.onAbort(() => stops.forEach((stop) => stop()))
        await send('hello', {})
        while (!stream.aborted && !stream.closed) {
          await Promise.race([stream.sleep(HEARTBEAT_MS), ended.promise])
          if (!stream.closed) await stream.write(': still here\n\n')
        }
      })
    },
  )
}
