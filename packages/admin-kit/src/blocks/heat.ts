/** Step 1 to 7 of the one-hue ramp for a value between the smallest and the largest; undefined for no value. */
export function heatStep(
  value: number | null | undefined,
  range: readonly [number, number],
): number | undefined {
  if (value === null || value === undefined) return undefined
  const [low, high] = range
  if (high <= low) return 4
  return Math.min(7, Math.floor((7 * (value - low)) / (high - low)) + 1)
}

/** Smallest and largest of a grid; `[0, 0]` for an empty one. */
export function gridRange(values: readonly (readonly (number | null)[])[]): [number, number] {
  const numbers = values.flat().filter((value) => value !== null)
  return numbers.length === 0 ? [0, 0] : [Math.min(...numbers), Math.max(...numbers)]
}
