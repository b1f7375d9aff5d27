/**
 * What somebody changed by hand stays when a journey is built anew: where the template gives the same as before,
 * `mine` counts, elsewhere what it gives now.
 */
export function mergeChanges(before: unknown, mine: unknown, now: unknown): unknown {
  if (isSame(before, now)) return mine
  if (isSame(before, mine)) return now
  if (isRecord(before) && isRecord(mine) && isRecord(now)) {
    const keys = [...new Set([...Object.keys(now), ...Object.keys(mine)])]
    return Object.fromEntries(
      keys
        .map((key) => [key, mergeChanges(before[key], mine[key], now[key])] as const)
        .filter(([, value]) => value !== undefined),
    )
  }
  if (
    Array.isArray(before) &&
    Array.isArray(mine) &&
    Array.isArray(now) &&
    before.length === mine.length &&
    mine.length === now.length
  )
    return now.map((each, index) => mergeChanges(before[index], mine[index], each))
  return now
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whatever order keys stand in. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => isSame(each, b[index]))
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => isSame(a[key], b[key]))
}
