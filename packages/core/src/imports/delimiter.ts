const CANDIDATES = [',', '\t', ';', '|'] as const

/** Rows that are looked at. Notes may stand before the table, so the first row alone says nothing. */
const ROWS = 30

/**
 * The character that separates cells: the one that cuts most rows into the same, largest number of cells. A first
 * row `sep=;`, which spreadsheets write, decides by itself. A comma when nothing separates anything.
 */
export function findDelimiter(text: string): string {
  const declared = /^sep=(.)\r?\n/i.exec(text)?.[1]
  if (declared) return declared
  let best = { delimiter: ',', score: 0 }
  for (const delimiter of CANDIDATES) {
    const score = scoreOf(countCells(text, delimiter))
    if (score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

/** Separators in each of the first rows, those inside quotes left out. */
function countCells(text: string, delimiter: string): number[] {
  const counts: number[] = []
  let count = 0
  let quoted = false
  let filled = false
  for (const char of text) {
    if (char === '"') quoted = !quoted
    else if (quoted) continue
    else if (char === delimiter) count++
    else if (char === '\n' || char === '\r') {
      if (filled) counts.push(count)
      if (counts.length === ROWS) break
      count = 0
      filled = false
      continue
    }
    filled = true
  }
  // The text is the beginning of a file, so its last row is half a row unless it is the only one.
  if (counts.length === 0 && filled) counts.push(count)
  return counts
}

function scoreOf(counts: number[]): number {
  const rowsWith = new Map<number, number>()
  for (const count of counts) if (count > 0) rowsWith.set(count, (rowsWith.get(count) ?? 0) + 1)
  let best = 0
  for (const [count, rows] of rowsWith) best = Math.max(best, rows * 1_000 + Math.min(count, 999))
  return best
}
