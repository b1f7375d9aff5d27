/**
 * The search for the plugin behind a problem, as plain data that can be stored. In each step some suspects are on and
 * the others off, and somebody says whether the problem is there.
 */
export interface Bisect {
  /**
   * `searching`: enable {@link Bisect.enabled}, look, and call {@link answerBisect}. `found`: it is `culprit`.
   * `not-a-plugin`: the problem stays with every suspect off. `together`: no plugin causes it alone.
   */
  readonly state: 'searching' | 'found' | 'not-a-plugin' | 'together'
  /** Plugins that were on when the search began, and that can be switched. */
  readonly all: readonly string[]
  /** Those that may still be behind it. */
  readonly suspects: readonly string[]
  /** Suspects that this step is about; empty in the first, which looks without any plugin. */
  readonly half: readonly string[]
  /** Plugins to have on now: `half` and what they need. All others of `all` are to be off. */
  readonly enabled: readonly string[]
  readonly step: number
  /** How many answers it takes at most, this one included. */
  readonly left: number
  readonly culprit: string | null
}

/** What each plugin needs, by id. */
export type Dependencies = Readonly<Record<string, readonly string[]>>

/** Begins with all of `plugins` off. */
export function startBisect(plugins: readonly string[]): Bisect {
  return {
    state: 'searching',
    all: [...plugins],
    suspects: [...plugins],
    half: [],
    enabled: [],
    step: 1,
    left: answersFor(plugins.length) + 1,
    culprit: null,
  }
}

/** The next step, after somebody saw the problem (`bad`) or did not (`good`). */
export function answerBisect(
  bisect: Bisect,
  answer: 'good' | 'bad',
  dependencies: Dependencies = {},
): Bisect {
  if (bisect.state !== 'searching') return bisect
  if (bisect.half.length === 0) return answerFirst(bisect, answer, dependencies)
  // What is needed by the half was on as well, and may be the one.
  const tried = bisect.suspects.filter((id) => bisect.enabled.includes(id))
  const suspects = answer === 'bad' ? tried : bisect.suspects.filter((id) => !tried.includes(id))
  const alone = bisect.suspects.length === 1
  if (alone)
    return answer === 'bad' ? end(bisect, 'found', bisect.suspects[0]!) : end(bisect, 'together', null)
  if (suspects.length === 0) return end(bisect, 'together', null)
  return next({ ...bisect, suspects, step: bisect.step + 1 }, dependencies)
}

function answerFirst(bisect: Bisect, answer: 'good' | 'bad', dependencies: Dependencies): Bisect {
  if (answer === 'bad' || bisect.all.length === 0) return end(bisect, 'not-a-plugin', null)
  return next({ ...bisect, step: bisect.step + 1 }, dependencies)
}

function next(bisect: Bisect, dependencies: Dependencies): Bisect {
  const half = chooseHalf(bisect.suspects, dependencies)
  return {
    ...bisect,
    half,
    enabled: withDependencies(half, dependencies).filter((id) => bisect.all.includes(id)),
    left: answersFor(bisect.suspects.length),
  }
}

/** A half that is on together with no more suspects than needed, so that each answer rules some out. */
function chooseHalf(suspects: readonly string[], dependencies: Dependencies): string[] {
  const size = Math.ceil(suspects.length / 2)
  // Those that bring the fewest others along come first.
  const burden = (id: string) =>
    withDependencies([id], dependencies).filter((other) => suspects.includes(other)).length
  const sorted = suspects.toSorted((a, b) => burden(a) - burden(b))
  const half: string[] = []
  for (const id of sorted) {
    const on = withDependencies([...half, id], dependencies).filter((other) => suspects.includes(other))
    if (half.length > 0 && on.length > size) break
    half.push(id)
  }
  return half
}

function withDependencies(ids: readonly string[], dependencies: Dependencies): string[] {
  const on = new Set<string>()
  const add = (id: string): void => {
    if (on.has(id)) return
    on.add(id)
    dependencies[id]?.forEach(add)
  }
  ids.forEach(add)
  return [...on]
}

/** Halving down to one, and one more answer to be sure of it. */
function answersFor(suspects: number): number {
  return suspects === 0 ? 0 : Math.ceil(Math.log2(suspects)) + 1
}

function end(bisect: Bisect, state: Bisect['state'], culprit: string | null): Bisect {
  return { ...bisect, state, culprit, half: [], enabled: [...bisect.all], left: 0 }
}
