import {
  type Expression,
  OperatorNode,
  type OperationNode,
  sql,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import { sameText } from '../people/sealed-conditions.ts'
import type { Vault } from '../people/vault.ts'
import { queryError } from './query-limits.ts'

/** Whether the values of a column are sealed in the database: all of them, or those that are personal. */
export type Sealed = 'all' | 'some'

const EQUAL = new Set(['=', '==', 'in', 'is'])
const UNEQUAL = new Set(['!=', '<>', 'not in', 'is not'])

/**
 * What a query does with sealed values. It may select them and compare them whole with constants, or with NULL; of
 * anything else the database could only make nonsense, and it is refused.
 */
export class SealedValues {
  readonly #vault: Vault
  readonly #kinds = new WeakMap<OperationNode, Sealed>()
  /** References to columns where all is sealed, by node, until something allows them. */
  readonly #unsettled = new Map<OperationNode, string>()

  constructor(vault: Vault) {
    this.#vault = vault
  }

  /** Notes that a node stands for sealed values. */
  note(node: OperationNode, sealed: Sealed | undefined, name: string): OperationNode {
    if (sealed === undefined || !this.#vault.isOpen) return node
    this.#kinds.set(node, sealed)
    if (sealed === 'all') this.#unsettled.set(node, name)
    return node
  }

  /** What a node stands for. Where it stands, sealed values do no harm. */
  settle(node: OperationNode): Sealed | undefined {
    this.#unsettled.delete(node)
    return this.#kinds.get(node)
  }

  /** A comparison of sealed values with constants; undefined when it is none, or one that cannot be asked. */
  compare(left: OperationNode, operator: string, right: OperationNode): OperationNode | undefined {
    if (!this.#kinds.has(left) || !(EQUAL.has(operator) || UNEQUAL.has(operator))) return undefined
    if (ValueNode.is(right) && right.value === null) {
      this.settle(left)
      return undefined
    }
    const values = constantsOf(right)
    if (!values || values.length === 0) return undefined
    this.settle(left)
    const text = { expressionType: undefined, toOperationNode: () => left } as Expression<unknown>
    const condition = sameText(this.#vault, sql`${text}`, values).toOperationNode()
    return EQUAL.has(operator) ? condition : UnaryOperationNode.create(OperatorNode.create('not'), condition)
  }

  /** Throws when a sealed column stands where it cannot. */
  check(): void {
    for (const name of this.#unsettled.values()) throw sealedError(name)
  }
}

export function sealedError(name: string) {
  return queryError(
    `"${name}" is sealed in the database: it can be selected, and compared whole, and nothing else`,
    'Use =, !=, in, not in or is null with constants, and work the rest out in the plugin.',
  )
}

function constantsOf(node: OperationNode): string[] | undefined {
  if (ValueNode.is(node)) return typeof node.value === 'string' ? [node.value] : undefined
  if (!ValueListNode.is(node)) return undefined
  const values = node.values.map((item) => (ValueNode.is(item) ? item.value : undefined))
  return values.every((value) => typeof value === 'string') ? (values as string[]) : undefined
}
