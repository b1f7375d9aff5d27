import type { Draft, Sentence } from './rule-model.ts'

/** The draft with the sentence of this id replaced, wherever it stands; `undefined` takes it out. */
export function replaceSentence(draft: Draft, id: string, next: Sentence | undefined): Draft {
  return { ...draft, sentences: replaceIn(draft.sentences, id, next) }
}

/** The draft with `sentence` added at the end of a group, or of the draft when `groupId` is undefined. */
export function addSentence(draft: Draft, sentence: Sentence, groupId?: string): Draft {
  if (groupId === undefined) return { ...draft, sentences: [...draft.sentences, sentence] }
  const group = findSentence(draft, groupId)
  if (group?.kind !== 'group') return draft
  return replaceSentence(draft, groupId, { ...group, sentences: [...group.sentences, sentence] })
}

/** The draft with the sentence moved `by` places among its neighbours; unchanged at the ends. */
export function moveSentence(draft: Draft, id: string, by: number): Draft {
  return { ...draft, sentences: moveIn(draft.sentences, id, by) }
}

/** The draft with the sentence put before another one, which may stand in another group. */
export function moveSentenceBefore(draft: Draft, id: string, beforeId: string): Draft {
  const moved = findSentence(draft, id)
  if (!moved || id === beforeId || (moved.kind === 'group' && contains(moved.sentences, beforeId)))
    return draft
  const without = replaceSentence(draft, id, undefined)
  return { ...without, sentences: insertBefore(without.sentences, beforeId, moved) }
}

export function findSentence(draft: Draft, id: string): Sentence | undefined {
  return findIn(draft.sentences, id)
}

function replaceIn(sentences: Sentence[], id: string, next: Sentence | undefined): Sentence[] {
  return sentences.flatMap((sentence): Sentence[] => {
    if (sentence.id === id) return next ? [next] : []
    if (sentence.kind !== 'group') return [sentence]
    return [{ ...sentence, sentences: replaceIn(sentence.sentences, id, next) }]
  })
}

function insertBefore(sentences: Sentence[], beforeId: string, moved: Sentence): Sentence[] {
  return sentences.flatMap((sentence): Sentence[] => {
    if (sentence.id === beforeId) return [moved, sentence]
    if (sentence.kind !== 'group') return [sentence]
    return [{ ...sentence, sentences: insertBefore(sentence.sentences, beforeId, moved) }]
  })
}

function moveIn(sentences: Sentence[], id: string, by: number): Sentence[] {
  const from = sentences.findIndex((sentence) => sentence.id === id)
  if (from < 0) {
    return sentences.map((s) => (s.kind === 'group' ? { ...s, sentences: moveIn(s.sentences, id, by) } : s))
  }
  const to = Math.min(Math.max(from + by, 0), sentences.length - 1)
  return sentences.toSpliced(from, 1).toSpliced(to, 0, sentences[from]!)
}

function findIn(sentences: Sentence[], id: string): Sentence | undefined {
  for (const sentence of sentences) {
    if (sentence.id === id) return sentence
    const inside = sentence.kind === 'group' ? findIn(sentence.sentences, id) : undefined
    if (inside) return inside
  }
  return undefined
}

function contains(sentences: Sentence[], id: string): boolean {
  return findIn(sentences, id) !== undefined
}
