import type { JourneyDefinition } from '@huitou/admin-kit/api/journeys.ts'

/** Edits of a journey that the server does not have yet. */
export interface KeptDraft {
  name: string
  definition: JourneyDefinition
  /** `updatedAt` of the draft that they were made on. */
  basedOn: number
}

const keyOf = (id: string) => `huitou.journey.${id}`

/** Keeps edits on this device until the server has them. */
export function keep(id: string, draft: KeptDraft): void {
  try {
    localStorage.setItem(keyOf(id), JSON.stringify(draft))
  } catch {
    // A device without room keeps nothing; the page still holds it.
  }
}

export function readKept(id: string): KeptDraft | undefined {
  try {
    const text = localStorage.getItem(keyOf(id))
    return text ? (JSON.parse(text) as KeptDraft) : undefined
  } catch {
    return undefined
  }
}

export function dropKept(id: string): void {
  localStorage.removeItem(keyOf(id))
}
