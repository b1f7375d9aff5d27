// @ts-expect-error: it has types, which its `exports` hide
import untyped from 'cephes'

/** Of the library, what is in use. */
interface Cephes {
  /** Resolves once the functions may be called. */
  compiled: Promise<void>
  erfc(x: number): number
  ndtri(p: number): number
  incbet(a: number, b: number, x: number): number
  incbi(a: number, b: number, y: number): number
  igamc(a: number, x: number): number
}

const cephes = untyped as Cephes

// The library is WebAssembly: from here on its functions answer at once.
await cephes.compiled

/** Chance that a standard normal lies at least this far from 0, on either side. Right far out in the tails. */
export function normalTails(z: number): number {
  return orNothing(() => cephes.erfc(Math.abs(z) / Math.SQRT2))
}

/** Chance that a standard normal lies below `z`. */
export function normalBelow(z: number): number {
  const tail = normalTails(z) / 2
  return z < 0 ? tail : 1 - tail
}

/** Where a standard normal stays below with chance `p`, between 0 and 1. */
export function normalQuantile(p: number): number {
  return cephes.ndtri(p)
}

/** Chance that Student's t lies at least this far from 0, on either side. Degrees of freedom need not be whole. */
export function studentTails(t: number, df: number): number {
  return orNothing(() => cephes.incbet(df / 2, 0.5, df / (df + t * t)))
}

/** How far from 0, on either side, Student's t lies with chance `tails`. */
export function studentReach(tails: number, df: number): number {
  const x = cephes.incbi(df / 2, 0.5, tails)
  return Math.sqrt((df * (1 - x)) / x)
}

/** Chance of a chi-square at least this large. */
export function chiSquareAbove(value: number, df: number): number {
  return orNothing(() => cephes.igamc(df / 2, value / 2))
}

/** What is too small to be told from 0 is 0. The library throws instead. */
function orNothing(compute: () => number): number {
  try {
    return compute()
  } catch (error) {
    if (error instanceof Error && error.message.includes('underflow')) return 0
    throw error
  }
}
