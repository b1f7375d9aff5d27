import type { Contributions, ScorerContribution, SegmenterContribution } from '@huitou/plugin-api'
import type { Point } from '@huitou/plugin-host'
import type { MemoryEffects } from '../memory-effects.ts'
import type { TestPlugin } from '../open-plugin.ts'
import type { PluginSamples } from './contract-options.ts'

/** One promise of a contribution point, and whether a plugin keeps it. */
export interface Check {
  readonly point: Point
  readonly id: string
  /** A sentence about a plugin that keeps it. */
  readonly title: string
  /** Throws an error that says what the plugin did instead. */
  run(): Promise<void>
}

/** What the checks of one contribution work with. */
export interface Subject<Declaration> {
  readonly plugin: TestPlugin
  readonly effects: MemoryEffects
  readonly declaration: Declaration
  readonly id: string
  readonly samples: PluginSamples
  /** Inputs that the author gave for this contribution; what `otherwise` makes when there are none. */
  inputs<T>(otherwise: () => T): T[]
  call<T>(method: string, ...args: unknown[]): Promise<T>
}

/** Fails a check with what the plugin did. */
export function must(holds: unknown, message: string): asserts holds {
  if (!holds) throw new Error(message)
}

/** Names a check of `subject`. */
export function check(
  { id }: Pick<Subject<unknown>, 'id'>,
  point: Point,
  title: string,
  run: () => Promise<void>,
): Check {
  return { point, id, title, run }
}

/** Whether an implementation lacks the method, which the point allows. */
export function isMissing(error: unknown): boolean {
  return (error as { code?: string } | undefined)?.code === 'E_NOT_IMPLEMENTED'
}

/** Runs `work` unless the plugin left the method out. */
export async function unlessMissing(work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
}

/** Types of the columns that a plugin makes itself, by full name. */
export function ownColumnTypes(contributes: Contributions = {}, prefix: string): Map<string, string> {
  const { features = [], scorers = [], segmenters = [] } = contributes
  const outputs = (scorers satisfies ScorerContribution[]).flatMap((scorer) => scorer.outputs)
  return new Map([
    ...[...features, ...outputs].map(({ id, type }): [string, string] => [`${prefix}_${id}`, type]),
    ...(segmenters satisfies SegmenterContribution[]).map(({ id }): [string, string] => [
      `${prefix}_${id}`,
      'label',
    ]),
  ])
}
