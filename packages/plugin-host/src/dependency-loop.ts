/**
 * A way from `start` back to itself along what `next` says each needs, for instance `a, b, a`; undefined when there is
 * none.
 */
export function findLoop(start: string, next: (id: string) => readonly string[]): string[] | undefined {
  const seen = new Set<string>()
  const walk = (id: string, path: string[]): string[] | undefined => {
    for (const needed of next(id)) {
      if (needed === start) return [...path, needed]
      if (seen.has(needed)) continue
      seen.add(needed)
      const found = walk(needed, [...path, needed])
      if (found) return found
    }
    return undefined
  }
  return walk(start, [start])
}
