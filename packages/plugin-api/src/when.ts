import { userError } from './errors.ts'

/**
 * Where something shows: `role == 'owner' && !customer.masked`. Keys are dotted names, compared with `==`, `!=`, `<`,
 * `<=`, `>`, `>=` or `in` with text in quotes, numbers, `true`, `false` or a list `['a', 'b']`; joined by `&&`, `||`,
 * `!` and parentheses.
 */
export type When =
  | { kind: 'key'; key: string }
  | { kind: 'compare'; key: string; operator: WhenOperator; value: WhenValue }
  | { kind: 'not'; of: When }
  | { kind: 'and' | 'or'; of: When[] }

export type WhenOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in'
export type WhenValue = string | number | boolean | (string | number | boolean)[]

/** What keys stand for; dots lead into objects. */
export type WhenScope = { readonly [key: string]: unknown }

/** Longer ones are refused; it also bounds how deep one can nest. */
const longest = 500

/** Reads a `when` clause; throws `E_WHEN` that says where it is wrong. */
export function parseWhen(text: string): When {
  if (text.length > longest) {
    throw userError('E_WHEN', `A when clause has ${text.length} characters; ${longest} is the most`, {
      hint: 'Split what it belongs to, or decide in the command itself.',
    })
  }
  const tokens = tokenise(text)
  let position = 0
  const peek = () => tokens[position]?.text
  const next = () => tokens[position++]
  const fail = (wanted: string): never => {
    const token = tokens[position]
    const found = token ? `"${token.text}" at ${token.at + 1}` : 'its end'
    throw userError('E_WHEN', `when clause "${text}" has ${found} where ${wanted} should stand`, {
      hint: "Write it like role == 'owner' && !customer.masked.",
    })
  }
  const joined = (kind: 'and' | 'or', sign: string, part: () => When): When => {
    const of = [part()]
    while (peek() === sign) {
      next()
      of.push(part())
    }
    return of.length === 1 ? of[0]! : { kind, of }
  }
  const either = (): When => joined('or', '||', () => joined('and', '&&', term))
  const term = (): When => {
    if (peek() === '!') {
      next()
      return { kind: 'not', of: term() }
    }
    if (peek() === '(') {
      next()
      const inner = either()
      if (peek() !== ')') fail('")"')
      next()
      return inner
    }
    const token = tokens[position]
    if (token?.kind !== 'key') return fail('a key')
    position++
    if (tokens[position]?.kind !== 'operator') return { kind: 'key', key: token.text }
    const operator = next()!.text as WhenOperator
    return { kind: 'compare', key: token.text, operator, value: operator === 'in' ? list() : scalar() }
  }
  const scalar = (): string | number | boolean => {
    const token = tokens[position]
    if (token?.kind !== 'value') return fail('a value')
    position++
    if (token.text.startsWith("'") || token.text.startsWith('"')) return token.text.slice(1, -1)
    return token.text === 'true' ? true : token.text === 'false' ? false : Number(token.text)
  }
  const list = (): (string | number | boolean)[] => {
    if (peek() !== '[') fail('"["')
    next()
    const values = [scalar()]
    while (peek() === ',') {
      next()
      values.push(scalar())
    }
    if (peek() !== ']') fail('"]"')
    next()
    return values
  }
  const parsed = either()
  if (position < tokens.length) fail('"&&" or "||"')
  return parsed
}

/** Whether `when` holds in `scope`. A key that is not there is false, and equal to nothing. */
export function evaluateWhen(when: When | string, scope: WhenScope): boolean {
  const clause = typeof when === 'string' ? parseWhen(when) : when
  switch (clause.kind) {
    case 'key':
      return Boolean(valueOf(clause.key, scope))
    case 'not':
      return !evaluateWhen(clause.of, scope)
    case 'and':
      return clause.of.every((part) => evaluateWhen(part, scope))
    case 'or':
      return clause.of.some((part) => evaluateWhen(part, scope))
    case 'compare':
      return compare(valueOf(clause.key, scope), clause.operator, clause.value)
  }
}

interface Token {
  kind: 'key' | 'operator' | 'value' | 'sign'
  text: string
  at: number
}

const pattern =
  /\s*(?:(?<operator>==|!=|<=|>=|<|>|in\b)|(?<sign>&&|\|\||[!()[\],])|(?<value>'[^']*'|"[^"]*"|-?\d+(?:\.\d+)?|(?:true|false)\b)|(?<key>[A-Za-z_][\w-]*(?:\.[\w-]+)*))/y

function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  pattern.lastIndex = 0
  while (pattern.lastIndex < end) {
    const from = pattern.lastIndex
    const groups = pattern.exec(text)?.groups
    if (!groups) {
      throw userError('E_WHEN', `when clause "${text}" cannot be read from "${text.slice(from).trim()}" on`, {
        hint: "Write it like role == 'owner' && !customer.masked.",
      })
    }
    const [kind, found] = Object.entries(groups).find(([, match]) => match !== undefined)!
    tokens.push({ kind: kind as Token['kind'], text: found!, at: pattern.lastIndex - found!.length })
  }
  return tokens
}

function valueOf(key: string, scope: WhenScope): unknown {
  if (Object.hasOwn(scope, key)) return scope[key]
  let value: unknown = scope
  for (const part of key.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as WhenScope)[part]
  }
  return value
}

function compare(left: unknown, operator: WhenOperator, right: WhenValue): boolean {
  if (operator === 'in') return Array.isArray(right) && right.includes(left as string)
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false
  const [a, b] = [left, right as typeof left]
  return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b
}
