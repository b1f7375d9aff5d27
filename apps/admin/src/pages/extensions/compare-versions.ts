/** Below zero when version `a` comes before `b`, by the rules of semantic versions. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [parse(a), parse(b)]
  for (const index of [0, 1, 2] as const) {
    const difference = (one.numbers[index] ?? 0) - (other.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  return comparePreReleases(one.pre, other.pre)
}

/** The newest version above the one in force, whether it lies here or in the registry; undefined when there is none. */
export function newerVersion({
  version,
  versions,
  update,
}: {
  version: string
  versions: readonly { version: string }[]
  update: { version: string } | null
}): string | undefined {
  const known = [...versions, ...(update ? [update] : [])].map((each) => each.version)
  return known
    .filter((each) => compareVersions(each, version) > 0)
    .toSorted(compareVersions)
    .at(-1)
}

function parse(version: string): { numbers: number[]; pre: string[] } {
  const [numbers = '', ...pre] = version.split('+', 1)[0]!.split('-')
  return {
    numbers: numbers.split('.').map((number) => Number.parseInt(number, 10) || 0),
    pre: pre.length > 0 ? pre.join('-').split('.') : [],
  }
}

/** A version without a pre-release comes after those with one. */
function comparePreReleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [one, other] = [a[index], b[index]]
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1
    if (one === other) continue
    const [number, second] = [Number(one), Number(other)]
    if (Number.isNaN(number) && Number.isNaN(second)) return one < other ? -1 : 1
    if (Number.isNaN(number) || Number.isNaN(second)) return Number.isNaN(number) ? 1 : -1
    return number - second
  }
  return 0
}
