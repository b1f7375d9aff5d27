import { sql } from 'kysely'
import type { Need } from '../points/grants.ts'
import type { PublishedView } from './views.ts'

/** Being in a segment says something of a customer, so it is read like a column called `segments`. */
const needs: Need = { permission: 'profile.read', name: 'segments' }

/** Segments that are in use. */
export function segmentsView(): PublishedView {
  return {
    name: 'segments',
    description: 'Segments: those that people made and those that are labels of plugins.',
    columns: [
      { name: 'id', description: 'Id of the segment.', expression: sql`s.id`, present: true },
      { name: 'name', description: 'Name that people gave it.', expression: sql`s.name` },
      { name: 'kind', description: '`dynamic`, `builtin` or `static`.', expression: sql`s.kind` },
      {
        name: 'owner',
        description: 'The plugin whose label it is, or who made it.',
        expression: sql`s.owner`,
      },
      {
        name: 'member_count',
        description: 'Customers in it at its last evaluation.',
        expression: sql`s.member_count`,
      },
    ],
    needs,
    source: () => sql`from segments s where s.active = 1`,
  }
}

/** Who is in which segment. */
export function segmentMembersView(): PublishedView {
  return {
    name: 'segment_members',
    description: 'Who is in which segment now.',
    columns: [
      { name: 'segment_id', description: 'Id of the segment.', expression: sql`m.segment_id`, present: true },
      {
        name: 'customer_id',
        description: 'Number of the customer.',
        expression: sql`m.customer_id`,
        present: true,
      },
      {
        name: 'entered_at',
        description: 'When the customer came in.',
        expression: sql`m.entered_at`,
        present: true,
      },
    ],
    needs,
    source: () => sql`from segment_members m`,
  }
}

/** Who came into which segment and who left it, in order. */
export function segmentChangesView(): PublishedView {
  return {
    name: 'segment_changes',
    description: 'Who came into which segment and who left it, in order.',
    columns: [
      { name: 'seq', description: 'Number of the change.', expression: sql`c.seq`, present: true },
      { name: 'segment_id', description: 'Id of the segment.', expression: sql`c.segment_id`, present: true },
      {
        name: 'customer_id',
        description: 'Number of the customer.',
        expression: sql`c.customer_id`,
        present: true,
      },
      { name: 'at', description: 'When, epoch milliseconds.', expression: sql`c.at`, present: true },
      { name: 'entered', description: '1 for coming in, 0 for leaving.', expression: sql`c.entered` },
    ],
    needs,
    source: () => sql`from segment_changes c`,
  }
}
