import { DEPTH_LIMIT, NAME_BYTES, NODE_LIMIT, queryError, TEXT_LIMIT, VALUE_LIMIT } from './query-limits.ts'

/** A node of a tree that a plugin sent: nothing of it is believed before it is read. */
export type Untrusted = Readonly<Record<string, unknown>>

/**
 * Reads a tree that came from outside: own properties only, arrays without holes, and never more nodes, levels,
 * values and text than a query needs, however the tree refers to itself.
 */
export class TreeReader {
  #nodes = 0
  #depth = 0
  #values = 0

  /** Reads one node and what is below it with `read`. */
  within<T>(value: unknown, read: (node: Untrusted, kind: string) => T): T {
    if (typeof value !== 'object' || value === null) throw queryError('A part of the query is not a node')
    const { kind } = ownProperties(value, ['kind'])
    if (typeof kind !== 'string' || kind.length > 50) throw queryError('A part of the query has no kind')
    if (++this.#nodes > NODE_LIMIT) throw queryError(`A query may have ${NODE_LIMIT} parts`)
    if (++this.#depth > DEPTH_LIMIT) throw queryError(`A query may be ${DEPTH_LIMIT} levels deep`)
    try {
      return read(value as Untrusted, kind)
    } finally {
      this.#depth--
    }
  }

  /** The nodes in a list; empty when it is absent. */
  list(node: Untrusted, field: string): unknown[] {
    const list = this.field(node, field)
    if (list === undefined) return []
    if (!Array.isArray(list)) throw queryError(`"${field}" is not a list`)
    if (list.length > VALUE_LIMIT) throw queryError(`"${field}" may have ${VALUE_LIMIT} entries`)
    return Array.from({ length: list.length }, (_, index) => {
      if (!Object.hasOwn(list, index)) throw queryError(`"${field}" has a hole`)
      return list[index] as unknown
    })
  }

  field(node: Untrusted, field: string): unknown {
    return Object.hasOwn(node, field) ? node[field] : undefined
  }

  /** Refuses a node that has any of `fields`, which would change what the rest of it says. */
  forbid(node: Untrusted, fields: readonly string[]): void {
    for (const field of fields) {
      const value = this.field(node, field)
      const empty = value === undefined || value === false || (Array.isArray(value) && value.length === 0)
      if (!empty) throw queryError(`Queries of plugins cannot use "${field}"`)
    }
  }

  /** A name that both databases keep as it is. */
  name(value: unknown): string {
    if (typeof value !== 'string' || value === '') throw queryError('A name in the query is no text')
    if (value.length > NAME_BYTES || Buffer.byteLength(value) > NAME_BYTES || /\p{Cc}|\p{Cs}/u.test(value))
      throw queryError(`A name in the query is longer than ${NAME_BYTES} bytes or holds odd characters`)
    return value
  }

  /** A value to compare with: text, a finite number, a truth value (as 1 or 0), a time (as milliseconds) or null. */
  value(value: unknown): string | number | null {
    if (++this.#values > VALUE_LIMIT) throw queryError(`A query may hold ${VALUE_LIMIT} values`)
    if (value === null) return null
    if (typeof value === 'boolean') return value ? 1 : 0
    if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
    if (value instanceof Date) return this.value(value.getTime())
    if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
      return value
    if (typeof value === 'string' && value.length <= TEXT_LIMIT && !/\0|\p{Cs}/u.test(value)) return value
    throw queryError(
      'A value in the query is no text, number, truth value or null, or is too large',
      'Times are epoch milliseconds.',
    )
  }
}

function ownProperties(value: object, fields: readonly string[]): Untrusted {
  return Object.fromEntries(
    fields.map((field) => [field, Object.hasOwn(value, field) ? (value as Untrusted)[field] : undefined]),
  )
}
