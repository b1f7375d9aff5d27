/**
 * How well `text` answers `query`: 0 is not at all, higher is better. A prefix beats the start of a word, that beats
 * any substring, and that beats letters in order (`im or` finds "Import orders").
 */
export function matchScore(query: string, text: string): number {
  const wanted = query.trim().toLowerCase()
  if (!wanted) return 1
  const have = text.toLowerCase()
  if (have === wanted) return 100
  if (have.startsWith(wanted)) return 90
  const index = have.indexOf(wanted)
  if (index > 0) return /[\s\p{P}]/u.test(have[index - 1]!) ? 80 : 70
  const words = wanted.split(/\s+/)
  if (words.length > 1 && words.every((word) => have.includes(word))) return 60
  return subsequenceScore(wanted.replaceAll(/\s+/g, ''), have)
}

/** The items that answer `query`, best first; equal ones keep their order. */
export function rank<T>(query: string, items: readonly T[], text: (item: T) => (string | undefined)[]): T[] {
  return items
    .map((item, order) => ({ item, order, score: bestScore(query, text(item)) }))
    .filter((entry) => entry.score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map((entry) => entry.item)
}

function bestScore(query: string, texts: (string | undefined)[]): number {
  // What stands first is what the reader sees; the rest (keywords, ids) counts a little less.
  return Math.max(
    0,
    ...texts.map((text, index) => (text ? matchScore(query, text) - (index > 0 ? 5 : 0) : 0)),
  )
}

/** Letters of `wanted` in order within `have`: up to 50, less for every letter between them. */
function subsequenceScore(wanted: string, have: string): number {
  if (wanted.length < 2) return 0
  let at = -1
  let gaps = 0
  for (const letter of wanted) {
    const next = have.indexOf(letter, at + 1)
    if (next < 0) return 0
    if (at >= 0) gaps += next - at - 1
    at = next
  }
  return gaps > wanted.length * 4 ? 0 : Math.max(10, 50 - gaps * 2)
}
