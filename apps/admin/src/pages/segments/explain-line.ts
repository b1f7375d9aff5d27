import type { Explanation } from '@huitou/admin-kit'
import type { Sentence } from './rule-model.ts'

export type ExplainLine = Explanation['lines'][number]

/** The sentence an explanation speaks of: its path names places from the outermost group inwards. */
export function sentenceAt(sentences: readonly Sentence[], path: string): Sentence | undefined {
  const places = (path.match(/\d+/g) ?? []).map(Number)
  let found: Sentence | undefined
  let members = sentences
  for (const place of places) {
    found = members[place]
    if (!found) return undefined
    members = found.kind === 'group' ? found.sentences : []
  }
  return found
}
