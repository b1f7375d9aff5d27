import type { Vault } from './vault.ts'

/**
 * How what a column holds is protected. `parts`: JSON that the database looks into; its personal parts are sealed.
 * `document`: JSON that nobody looks into; sealed as a whole when something personal is in it. `text`: sealed when it
 * holds a phone number or an e-mail address. `note`: what people write; sealed whatever it holds.
 */
export type Protection = 'parts' | 'document' | 'text' | 'note'

/**
 * Every column of the core's tables that may hold somebody's phone, e-mail address or address. Whatever is written to
 * them through Kysely or `insertRows` is sealed on its way, and the job that seals older rows goes by the same list.
 *
 * Columns made while running are not here: those of profiles and of plugins' records are sealed where they are written.
 */
export const PROTECTED_COLUMNS: Readonly<Record<string, Readonly<Record<string, Protection>>>> = {
  events: { body: 'parts' },
  rejected_events: { message: 'text', excerpt: 'text' },
  identifiers: { value: 'text' },
  profiles: { key: 'text' },
  profile_states: { state: 'document' },
  segments: { rule: 'parts' },
  enrolments: { data: 'parts' },
  deliveries: {
    content: 'parts',
    context: 'parts',
    alternatives: 'parts',
    details: 'parts',
    shown_content: 'parts',
  },
  delivery_events: { details: 'parts' },
  early_receipts: { receipt: 'document' },
  tasks: { title: 'text', data: 'parts', script: 'text', note: 'note' },
  task_events: { details: 'document' },
  message_links: { url: 'text' },
  consent_ledger: { note: 'note' },
  privacy_requests: { asked_by: 'note', note: 'note', answer: 'note' },
  imports: { facts: 'document', dry_run: 'document', result: 'document', error: 'document' },
  jobs: { title: 'text', payload: 'document', result: 'document', error: 'document' },
  collection_history: { before: 'document' },
  collection_outbox: { change: 'document' },
  plugin_storage: { value: 'document' },
}

/** What is stored for a value; what is no text is stored as it is. */
export function sealCell(vault: Vault, protection: Protection, value: unknown): unknown {
  if (typeof value !== 'string') return value
  switch (protection) {
    case 'parts':
      return vault.sealParts(value)
    case 'document':
      return vault.sealPersonalDocument(value)
    case 'text':
      return vault.sealPersonalText(value)
    case 'note':
      return vault.sealText(value)
  }
}
