import { availableParallelism, cpus, loadavg } from 'node:os'
import type { Engine } from './huitou.ts'

export interface Result {
  bench: string
  metric: string
  value: number
  unit: string
  engine: Engine
  /** The same work without Huitou, measured in the same run. */
  reference?: number
  /** Promised bound, in words. */
  budget?: string
  [detail: string]: unknown
}

/** Prints one line of JSON for a machine; `ratio` is value to reference. */
export function printResult(result: Result): void {
  const { value, reference } = result
  const line = {
    ...result,
    value: round(value),
    ...(reference === undefined
      ? {}
      : { reference: round(reference), ratio: Number((value / reference).toFixed(2)) }),
    at: new Date().toISOString().slice(0, 16),
    machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
    // Above the number of cores, others were at work as well and the absolute figures are too low.
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}
