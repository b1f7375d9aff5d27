import { AppError } from '@huitou/plugin-api'
import type { ErrorKind } from '@huitou/plugin-api'
import type { Message } from './peer.ts'
import { shortText } from './short-text.ts'
import { toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

const maxDepth = 64
const maxNodes = 1_000_000
const longestText = 4_000
const kinds: readonly unknown[] = ['user', 'world', 'bug'] satisfies ErrorKind[]

/**
 * What an untrusted process sent, when it is a message that it may send; throws otherwise. An answer that holds
 * something odd becomes a failure of that one call.
 */
export function checkMessage(value: unknown): Message {
  if (!isRecord(value)) throw malformed('is no object')
  const { type, id, method, args } = value
  if (type === 'notice' || type === 'request') {
    if (typeof method !== 'string' || !Array.isArray(args)) throw malformed(`is a ${type} without method`)
    checkValue(args)
    if (type === 'notice') return { type, method, args: args as unknown[] }
  }
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw malformed('has no id')
  switch (type) {
    case 'request':
      return { type, id, method: method as string, args: args as unknown[] }
    case 'cancel':
      return { type, id }
    case 'failure':
      return { type, id, error: readWireError(value['error']) }
    case 'answer':
      return checkedAnswer(id, value['value'])
    default:
      throw malformed('is of an unknown type')
  }
}

function checkedAnswer(id: number, value: unknown): Message {
  try {
    checkValue(value)
    return { type: 'answer', id, value }
  } catch (error) {
    return { type: 'failure', id, error: toWireError(error) }
  }
}

/** The error that somebody unknown sent: of known shape, and not longer than fits on a page. */
export function readWireError(sent: unknown): WireError {
  if (!isRecord(sent)) return { message: 'unknown', code: 'E_PLUGIN', kind: 'bug' }
  const { message, code, kind, hint, status, details, stack } = sent
  const ours = typeof code === 'string' && /^E_[A-Z0-9_]{1,60}$/.test(code) && kinds.includes(kind)
  const wire: WireError = {
    message: shorten(message) ?? 'unknown',
    code: ours ? code : 'E_PLUGIN',
    kind: ours ? (kind as ErrorKind) : 'bug',
  }
  if (typeof stack === 'string') wire.stack = shorten(stack)
  if (!ours) return wire
  if (typeof hint === 'string') wire.hint = shorten(hint)
  if (Number.isInteger(status) && (status as number) >= 400 && (status as number) < 600) {
    wire.status = status as number
  }
  if (isRecord(details) && isShort(details)) wire.details = details
  return wire
}

function shorten(text: unknown): string | undefined {
  return typeof text === 'string' ? shortText(text, longestText) : undefined
}

function isShort(details: Record<string, unknown>): boolean {
  try {
    checkValue(details, longestText)
    return JSON.stringify(details).length <= longestText
  } catch {
    return false
  }
}

/**
 * Throws unless `value` is plain data that costs about as much to read as it took to send: no key that reaches a
 * prototype, no object of a class, and nothing that unfolds into many times its size because parts of it repeat.
 */
export function checkValue(value: unknown, nodes = maxNodes): void {
  new ValueCheck(nodes).check(value, 0)
}

class ValueCheck {
  #left: number

  constructor(nodes: number) {
    this.#left = nodes
  }

  check(node: unknown, depth: number): void {
    this.#left -= typeof node === 'string' ? 1 + (node.length >> 5) : 1
    if (this.#left < 0) throw malformed('unfolds into too much')
    if (typeof node !== 'object' || node === null) return
    if (depth > maxDepth) throw malformed('is nested too deeply, or in a circle')
    if (Array.isArray(node)) return this.#checkList(node, depth)
    if (ArrayBuffer.isView(node) || node instanceof ArrayBuffer || node instanceof Date) return
    if (node instanceof Map) {
      for (const entry of node) this.#checkList(entry, depth)
    } else if (node instanceof Set) {
      for (const item of node) this.check(item, depth + 1)
    } else {
      this.#checkObject(node as Record<string, unknown>, depth)
    }
  }

  #checkList(list: readonly unknown[], depth: number): void {
    if (Object.getPrototypeOf(list) !== Array.prototype) throw malformed('holds an object that is not plain')
    if (list.length > this.#left) throw malformed('unfolds into too much')
    for (const item of list) {
      // The long lists are dictionaries of short texts.
      if (typeof item === 'string' && item.length < 32) this.#left--
      else this.check(item, depth + 1)
    }
  }

  #checkObject(node: Record<string, unknown>, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(node)
    if (prototype !== Object.prototype && prototype !== null)
      throw malformed('holds an object that is not plain')
    for (const key of Object.keys(node)) {
      if (key === '__proto__') throw malformed('has a key "__proto__"')
      this.check(node[key], depth + 1)
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function malformed(what: string): AppError {
  return new AppError('bug', 'E_PLUGIN_MESSAGE', `A message of the plugin ${what}`, {
    hint: 'Answers are plain data: objects, lists, texts, numbers, dates, typed arrays.',
  })
}
