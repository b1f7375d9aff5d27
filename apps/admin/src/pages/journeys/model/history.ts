/** What was, what is, and what was taken back. */
export interface History<T> {
  readonly past: readonly T[]
  readonly present: T
  readonly future: readonly T[]
  /** What the last edit was about: typing on in one field is one edit. */
  readonly about: string | undefined
}

const DEPTH = 200

export function startHistory<T>(present: T): History<T> {
  return { past: [], present, future: [], about: undefined }
}

/** Writes an edit down. Edits in a row about the same thing are taken back together. */
export function record<T>(history: History<T>, next: T, about?: string): History<T> {
  if (next === history.present) return history
  const goesOn = about !== undefined && about === history.about && history.past.length > 0
  const past = goesOn ? history.past : [...history.past, history.present].slice(-DEPTH)
  return { past, present: next, future: [], about }
}

export function undo<T>(history: History<T>): History<T> {
  const last = history.past.at(-1)
  if (last === undefined) return history
  return {
    past: history.past.slice(0, -1),
    present: last,
    future: [history.present, ...history.future],
    about: undefined,
  }
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future
  if (next === undefined) return history
  return { past: [...history.past, history.present], present: next, future, about: undefined }
}
