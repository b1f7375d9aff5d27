import { RE2JS } from 're2js'
import type { JsonSchema } from '@huitou/plugin-api'
import type { Finding } from './manifest-errors.ts'

const mostParts = 20_000
const deepest = 60
const longestPattern = 1_000
/** Parts that look at one value; a choice among hundreds of towns is fine. */
const mostForOneValue = 1_000
const mostSteps = 100_000

type Part = Record<string, unknown>

/** Words that hold one schema, a list of them, or some by name. The last two hold schemas about the same value. */
const single = 'additionalProperties unevaluatedProperties propertyNames items unevaluatedItems contains'
  .split(' ')
  .concat('not', 'if', 'then', 'else')
const lists = ['prefixItems', 'allOf', 'anyOf', 'oneOf']
const maps = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']
const sameValue = new Set('not if then else allOf anyOf oneOf dependentSchemas dependencies'.split(' '))

/**
 * What in a stranger's schema would keep the server busy, or make it accept anything: schemas are compiled to code, and
 * what that code does must stay in proportion to the value it checks.
 */
export function checkLimits(schema: JsonSchema): Finding[] {
  const parts = new Map<Part, string>()
  const findings: Finding[] = []
  const waiting: [part: unknown, path: string, depth: number][] = [[schema, '', 0]]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [part, path, depth] = next
    if (!isPart(part) || parts.has(part)) continue
    parts.set(part, path)
    if (parts.size > mostParts) return [finding('', 'too large', `keep it below ${mostParts} parts`)]
    if (depth > deepest) return [finding('', 'too deep', `nest no deeper than ${deepest} levels`)]
    findings.push(...checkPart(part, path))
    for (const [inner, place] of childrenOf(part))
      waiting.push([inner, path === '' ? place : `${path}.${place}`, depth + 1])
  }
  for (const [part, path] of parts) {
    if (!('$ref' in part)) continue
    const target = targetOf(schema, part['$ref'])
    if (target && parts.has(target)) continue
    const fix = 'name a definition of the same schema, such as #/$defs/address'
    findings.push(finding(join(path, '$ref'), part['$ref'], fix))
  }
  if (findings.length === 0 && looksTooOften(schema))
    findings.push(
      finding('', 'too much work', 'let fewer of its parts look at one value: they multiply through $ref'),
    )
  return findings
}

function checkPart(part: Part, path: string): Finding[] {
  const findings = ['$async', '$dynamicRef', '$recursiveRef', ...(path === '' ? [] : ['$id'])]
    .filter((word) => word in part)
    .map((word) => finding(join(path, word), part[word], `remove ${word}: plugins cannot use it`))
  const patterns = 'pattern' in part ? [['pattern', part['pattern']] as const] : []
  const names = isPart(part['patternProperties']) ? Object.keys(part['patternProperties']) : []
  for (const [word, pattern] of [...patterns, ...names.map((name) => ['patternProperties', name] as const)]) {
    const fix = problemWithPattern(pattern)
    if (fix) findings.push(finding(join(path, word), pattern, fix))
  }
  if (part['uniqueItems'] === true && !isPlain(part['items']))
    findings.push(
      finding(
        join(path, 'uniqueItems'),
        true,
        'give "items" the type string, number, integer or boolean: comparing anything else takes too long',
      ),
    )
  return findings
}

function problemWithPattern(pattern: unknown): string | undefined {
  // What is no text is told of as no JSON Schema.
  if (typeof pattern !== 'string') return undefined
  if (pattern.length > longestPattern) return `keep patterns below ${longestPattern} characters`
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch {
    return 'write it in RE2 syntax: without look-around and back-references'
  }
}

function isPlain(items: unknown): boolean {
  return isPart(items) && ['string', 'number', 'integer', 'boolean'].includes(String(items['type']))
}

/** Whether some value could be looked at by more and more parts, the deeper it is. */
function looksTooOften(schema: JsonSchema): boolean {
  const numbers = new Map<Part, number>()
  const numberOf = (part: Part) => numbers.get(part) ?? (numbers.set(part, numbers.size), numbers.size - 1)
  const seen = new Set<string>()
  const waiting: Part[][] = [[schema as Part]]
  let steps = 0
  for (let asked = waiting.pop(); asked; asked = waiting.pop()) {
    const looking = withSameValue(schema, asked)
    if (!looking || (steps += looking.length) > mostSteps) return true
    for (const group of innerValues(looking)) {
      if ((steps += group.length) > mostSteps) return true
      const key = group
        .map(numberOf)
        .sort((a, b) => a - b)
        .join()
      if (!seen.has(key)) waiting.push(group)
      seen.add(key)
    }
  }
  return false
}

/** All parts that look at the value that `parts` look at, each as often as it does; undefined when these are too many. */
function withSameValue(schema: JsonSchema, parts: readonly Part[]): Part[] | undefined {
  const looking = [...parts]
  for (let index = 0; index < looking.length; index++) {
    if (looking.length > mostForOneValue) return undefined
    const part = looking[index]!
    const target = '$ref' in part ? targetOf(schema, part['$ref']) : undefined
    if (target) looking.push(target)
    for (const [inner, place] of childrenOf(part))
      if (isPart(inner) && sameValue.has(place.split(/[.[]/, 1)[0]!)) looking.push(inner)
  }
  return looking
}

/** For each value inside a value, the parts that look at it. */
function innerValues(looking: readonly Part[]): Part[][] {
  const properties = looking.map((part) => ({
    fixed: isPart(part['properties']) ? part['properties'] : {},
    rest: [part['additionalProperties'], part['unevaluatedProperties']],
    all: isPart(part['patternProperties']) ? Object.values(part['patternProperties']) : [],
  }))
  const items = looking.map((part) => ({
    fixed: Object.fromEntries(
      Array.isArray(part['prefixItems']) ? part['prefixItems'].entries() : [],
    ) as Part,
    rest: [part['items'], part['unevaluatedItems']],
    all: [part['contains']],
  }))
  const names = looking.map((part) => part['propertyNames']).filter(isPart)
  return [...groups(properties), ...groups(items), names].filter((group) => group.length > 0)
}

function groups(holders: { fixed: Part; rest: unknown[]; all: unknown[] }[]): Part[][] {
  const wide = holders.filter(({ rest, all }) => [...rest, ...all].some(isPart))
  const keyed = new Map<string, Part[]>()
  for (const { fixed } of holders)
    for (const [key, part] of Object.entries(fixed))
      keyed.set(key, [...(keyed.get(key) ?? []), ...[part].filter(isPart)])
  for (const [key, parts] of keyed)
    for (const { fixed, rest, all } of wide)
      parts.push(...[...(Object.hasOwn(fixed, key) ? [] : rest), ...all].filter(isPart))
  return [...keyed.values(), wide.flatMap(({ rest, all }) => [...rest, ...all].filter(isPart))]
}

function* childrenOf(part: Part): Generator<[inner: unknown, place: string]> {
  for (const word of single) if (isPart(part[word])) yield [part[word], word]
  for (const word of lists) {
    const list = part[word]
    if (Array.isArray(list)) for (const [at, inner] of list.entries()) yield [inner, `${word}[${at}]`]
  }
  for (const word of maps) {
    const map = part[word]
    if (isPart(map)) for (const [name, inner] of Object.entries(map)) yield [inner, `${word}.${name}`]
  }
}

/** What `#/$defs/a` points at. */
function targetOf(schema: JsonSchema, reference: unknown): Part | undefined {
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return undefined
  let found: unknown = schema
  for (const step of reference.slice(2).split('/')) {
    const key = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Part)[key]
  }
  return isPart(found) ? found : undefined
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function join(path: string, word: string): string {
  return path === '' ? word : `${path}.${word}`
}

function finding(path: string, value: unknown, fix: string): Finding {
  return { path, value, fix }
}
