/** An edge between two identifiers, as `identity_links` keeps it. */
export interface Link {
  a: number
  b: number
  weak: number
  ts: number
  message_id: string
}

/** Disjoint sets of numbers, each known by its smallest member. */
export class Components {
  readonly #parent = new Map<number, number>()

  add(node: number): void {
    if (!this.#parent.has(node)) this.#parent.set(node, node)
  }

  /** Smallest member of the set that holds `node`. */
  find(node: number): number {
    let root = node
    for (let up = this.#parent.get(root); up !== undefined && up !== root; up = this.#parent.get(root))
      root = up
    for (let step = node; step !== root;) {
      const next = this.#parent.get(step) ?? root
      this.#parent.set(step, root)
      step = next
    }
    return root
  }

  union(a: number, b: number): void {
    this.add(a)
    this.add(b)
    const first = this.find(a)
    const second = this.find(b)
    if (first !== second) this.#parent.set(Math.max(first, second), Math.min(first, second))
  }
}

/**
 * Links that count: all strong ones and, of each weak identifier's, the earliest. A tablet in a shop that many
 * customers sign in on thus belongs to the first of them and joins nobody to anybody.
 */
export function countingLinks<L extends Link>(links: readonly L[], isCut: (link: L) => boolean): L[] {
  const counting: L[] = []
  const earliest = new Map<number, L>()
  for (const link of links) {
    if (isCut(link)) continue
    if (!link.weak) counting.push(link)
    else {
      const known = earliest.get(link.a)
      if (!known || isEarlier(link, known)) earliest.set(link.a, link)
    }
  }
  return [...counting, ...earliest.values()]
}

/** Order of evidence: by time, then message id, so that arrival order plays no part. */
export function isEarlier(a: Pick<Link, 'ts' | 'message_id'>, b: Pick<Link, 'ts' | 'message_id'>): boolean {
  return a.ts !== b.ts ? a.ts < b.ts : a.message_id < b.message_id
}
