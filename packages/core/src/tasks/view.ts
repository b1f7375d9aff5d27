import type { Db } from '../db/database.ts'
import { type Person, readPeople } from '../journeys/people.ts'
import { type ContentRenderer, variablesIn } from '../journeys/variables.ts'
import { maskValue } from '../people/masking.ts'
import { customerName } from '../profiles/queries.ts'
import { readBrand } from '../settings/brand.ts'
import { leftAt } from './act.ts'
import type { TaskOutcome } from './create.ts'
import { QueueBook } from './queues.ts'
import type { StoredTask } from './record.ts'
import type { TaskState } from './tables.ts'

/** A person or a thing with the name that people know it by. */
export interface Named {
  id: string
  name: string
}

export interface Task {
  id: number
  kind: string
  title: string
  queue: string
  queueName: string
  assignee: Named | null
  /** NULL for work about nobody, and for somebody who was erased. */
  customer: { id: number; name: string } | null
  journey: Named | null
  state: TaskState
  createdAt: number
  /** `journey`, `plugin:<id>`, or who made it. */
  createdBy: string
  /** Business time it was given. */
  slaMs: number
  dueAt: number
  /** Until when it is put off; its clock stands still. */
  pausedUntil: number | null
  /** What is left of its time; below zero what it is late by. Counts down only while `clock.running`. */
  remainingBusinessMs: number
  /** Whether people work now by the hours of its queue, and when that changes. */
  clock: { running: boolean; changesAt: number | null }
  overdue: boolean
  escalations: number
  /** What to say, with the customer's and the event's values filled in. */
  script: string | null
  /** Variables that nobody knows the value of; their places in the script are marked. */
  missing: string[]
  outcomes: TaskOutcome[]
  outcome: string | null
  note: string | null
  endedAt: number | null
}

export interface TaskWorld {
  db: Db
  now: number
  render: ContentRenderer
  /** Names of people by id. */
  people: ReadonlyMap<string, string>
}

/** Tasks as people see them. Personal data in their words is masked. */
export async function toTasks(rows: readonly StoredTask[], world: TaskWorld): Promise<Task[]> {
  if (rows.length === 0) return []
  const { db, now, people: names } = world
  const book = await QueueBook.read(db)
  const brand = await readBrand(db)
  const customers = await readPeople(
    db,
    rows.flatMap(({ customer_id }) => (customer_id === null ? [] : [customer_id])),
  )
  const mask = await readMask(db)
  const journeys = await readJourneys(db, rows)
  return rows.map((row): Task => {
    const person = row.customer_id === null ? undefined : customers.get(row.customer_id)
    const data = JSON.parse(row.data) as Record<string, unknown>
    const fill = (text: string) =>
      fillIn(text, {
        render: world.render,
        variables: {
          ...data,
          event: (data['event'] as Record<string, unknown> | undefined) ?? {},
          customer: mask(person?.profile ?? {}),
          brand: { name: brand.brandName, currency: brand.currency },
        },
        about: { deliveryKey: `task.${row.id}`, locale: brand.locale },
      })
    const script = row.script === null ? undefined : fill(row.script)
    const isPaused = row.paused_until !== null && row.paused_until > now
    const until = row.ended_at ?? now
    const clock = book.clock(row.queue).at(now)
    return {
      id: row.id,
      kind: row.kind,
      title: fill(row.title).text,
      queue: row.queue,
      queueName: book.queue(row.queue).name,
      assignee:
        row.assignee === null ? null : { id: row.assignee, name: names.get(row.assignee) ?? row.assignee },
      customer: person ? { id: person.id, name: nameOfPerson(person) } : null,
      journey:
        row.journey_id === null
          ? null
          : { id: row.journey_id, name: journeys.get(row.journey_id) ?? row.journey_id },
      state: row.state,
      createdAt: row.created_at,
      createdBy: creatorOf(row.created_by, names),
      slaMs: row.sla_ms,
      dueAt: row.due_at,
      pausedUntil: isPaused ? row.paused_until : null,
      remainingBusinessMs:
        until >= row.due_at ? -book.clock(row.queue).between(row.due_at, until) : leftAt(row, book, until),
      clock: {
        running: clock.open && !isPaused && row.ended_at === null,
        changesAt: clock.changesAt ?? null,
      },
      overdue: !isPaused && until > row.due_at,
      escalations: row.escalations,
      script: script?.text ?? null,
      missing: script?.missing ?? [],
      outcomes: JSON.parse(row.outcomes) as TaskOutcome[],
      outcome: row.outcome,
      note: row.note,
      endedAt: row.ended_at,
    }
  })
}

function nameOfPerson({ profile, identifiers }: Person): string {
  return customerName(
    profile?.['t_name'],
    String(profile?.['key'] ?? identifiers[0]?.value ?? ''),
    identifiers,
  )
}

function creatorOf(by: string, names: ReadonlyMap<string, string>): string {
  if (!by.startsWith('user:')) return by
  const id = by.slice('user:'.length)
  return names.get(id) ?? id
}

/** Hides what only those may see who ask for it one by one. */
async function readMask(db: Db) {
  const columns = await db
    .selectFrom('profile_columns')
    .select(['name', 'logical'])
    .where('pii', '=', 1)
    .execute()
  return (profile: Record<string, string | number | null>) => {
    const shown: Record<string, unknown> = { ...profile }
    for (const { name, logical } of columns)
      if (profile[name] !== undefined) shown[name] = maskValue(profile[name], { pii: true, logical })
    return shown
  }
}

async function readJourneys(db: Db, rows: readonly StoredTask[]): Promise<Map<string, string>> {
  const ids = [...new Set(rows.flatMap(({ journey_id }) => (journey_id === null ? [] : [journey_id])))]
  if (ids.length === 0) return new Map()
  const found = await db.selectFrom('journeys').select(['id', 'name']).where('id', 'in', ids).execute()
  return new Map(found.map(({ id, name }) => [id, name]))
}

type Filling = {
  render: ContentRenderer
  variables: Parameters<ContentRenderer>[1]
  about: Parameters<ContentRenderer>[2]
}

/** A person can see that something is missing, so words that lack a value are shown all the same, with a mark there. */
function fillIn(text: string, { render, variables, about }: Filling): { text: string; missing: string[] } {
  const whole = render({ text }, variables, about)
  if ('content' in whole) return { text: String(whole.content['text']), missing: [] }
  const missing = variablesIn(text).flatMap(({ path }) =>
    'problem' in render({ text: `{{${path}}}` }, variables, about) ? [path] : [],
  )
  const marked = text.replaceAll(/\{\{[^{}]*\}\}/g, (place) => {
    const one = render({ text: place }, variables, about)
    return 'content' in one ? String(one.content['text']) : '［…］'
  })
  return { text: marked, missing: [...new Set(missing)] }
}
