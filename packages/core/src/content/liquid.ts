import { analyzeSync, type Filter, Liquid, LiquidError, Output, type Template } from 'liquidjs'
import { escapeHtml, SafeHtml, shopFilters, textOf } from './filters.ts'
import type { Here } from './here.ts'

/** Something wrong in a text, where it stands. */
export interface TextMistake {
  code: 'liquid' | 'too_long' | 'script' | 'unquoted'
  message: string
  line: number
}

/** A variable that a text names. */
export interface UsedVariable {
  path: string
  line: number
  /** It may be missing: it has a default, or the text only asks whether it is there. */
  optional: boolean
}

/** A text ready to be filled in, or its mistakes. */
export interface CompiledText {
  mistakes: TextMistake[]
  variables: UsedVariable[]
  render(scope: object, here: Here): RenderedText
}

export type RenderedText = { text: string } | { missing: string[] } | { problem: string }

export type Escaping = 'html' | 'none'

const LENGTH_LIMIT = 500_000
/** A loop over everything ends here. The clock is the machine's, so that a busy one refuses nothing that is sound. */
const RENDER_MS = 2_000
const MEMORY = 5_000_000

const TAGS = [
  '#',
  'assign',
  'break',
  'case',
  'comment',
  'continue',
  'cycle',
  'echo',
  'for',
  'if',
  'raw',
  'unless',
]
const FILTERS = [
  ...[
    'abs',
    'at_least',
    'at_most',
    'ceil',
    'divided_by',
    'floor',
    'minus',
    'modulo',
    'plus',
    'round',
    'times',
  ],
  ...[
    'append',
    'capitalize',
    'downcase',
    'lstrip',
    'prepend',
    'remove',
    'replace',
    'rstrip',
    'slice',
    'split',
  ],
  ...['strip', 'strip_html', 'strip_newlines', 'truncate', 'upcase', 'url_encode', 'default', 'size', 'join'],
  ...['compact', 'concat', 'first', 'last', 'map', 'reverse', 'sort', 'uniq', 'where', 'sum'],
]

const engines: Record<Escaping, Liquid> = { html: createEngine('html'), none: createEngine('none') }

/** Liquid without files, without inheritance and without a way to put out a value as markup. */
function createEngine(escaping: Escaping): Liquid {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    catchAllErrors: true,
    parseLimit: LENGTH_LIMIT + 1,
    renderLimit: RENDER_MS,
    memoryLimit: MEMORY,
    templates: {},
    outputEscape:
      escaping === 'none'
        ? textOf
        : (value: unknown) => (value instanceof SafeHtml ? value.html : escapeHtml(textOf(value))),
  })
  for (const name of Object.keys(engine.tags)) if (!TAGS.includes(name)) delete engine.tags[name]
  for (const name of Object.keys(engine.filters)) if (!FILTERS.includes(name)) delete engine.filters[name]
  for (const [name, filter] of Object.entries(shopFilters))
    engine.registerFilter(name, function (value: unknown, ...options: unknown[]) {
      return filter((this.context.globals as { $here: Here }).$here, value, ...options)
    })
  const mark = (text: string) => (escaping === 'html' ? new SafeHtml(text) : text)
  engine.registerFilter('escape', (value: unknown) =>
    escaping === 'html' ? new SafeHtml(escapeHtml(textOf(value))) : textOf(value),
  )
  engine.registerFilter('newline_to_br', (value: unknown) =>
    escaping === 'html' ? mark(escapeHtml(textOf(value)).replaceAll(/\r?\n/g, '<br>')) : textOf(value),
  )
  return engine
}

const CACHED = 2_000
const caches: Record<Escaping, Map<string, CompiledText>> = { html: new Map(), none: new Map() }

/** Reads a text once; the same text again costs a look-up. Never throws. */
export function compileText(text: string, escaping: Escaping): CompiledText {
  const cache = caches[escaping]
  const known = cache.get(text)
  if (known) return known
  const compiled = compile(text, escaping)
  const [oldest] = cache.keys()
  if (cache.size >= CACHED && oldest !== undefined) cache.delete(oldest)
  cache.set(text, compiled)
  return compiled
}

function compile(text: string, escaping: Escaping): CompiledText {
  if (text.length > LENGTH_LIMIT)
    return unusable([
      { code: 'too_long', line: 1, message: `longer than ${LENGTH_LIMIT.toLocaleString('en')} characters` },
    ])
  if (!text.includes('{{') && !text.includes('{%')) {
    const mistakes = escaping === 'html' ? markupMistakes(text) : []
    return mistakes.length > 0 ? unusable(mistakes) : { mistakes, variables: [], render: () => ({ text }) }
  }
  try {
    const engine = engines[escaping]
    const templates = engine.parse(text)
    const mistakes = escaping === 'html' ? markupMistakes(text) : []
    const variables = variablesOf(templates)
    if (mistakes.length > 0) return { ...unusable(mistakes), variables }
    return {
      mistakes,
      variables,
      render: (scope, here) => renderTemplates(engine, templates, { scope, here }),
    }
  } catch (error) {
    return unusable(mistakesOf(error))
  }
}

function unusable(mistakes: TextMistake[]): CompiledText {
  const [first] = mistakes
  const problem = `line ${first?.line ?? 1}: ${first?.message ?? 'cannot be read'}`
  return { mistakes, variables: [], render: () => ({ problem }) }
}

function renderTemplates(
  engine: Liquid,
  templates: Template[],
  { scope, here }: { scope: object; here: Here },
): RenderedText {
  try {
    return { text: String(engine.renderSync(templates, scope, { globals: { $here: here } }) ?? '') }
  } catch (error) {
    const errors = flatten(error)
    const missing = errors.flatMap((each) => missingName(each) ?? [])
    if (missing.length > 0) return { missing: [...new Set(missing)] }
    return { problem: errors.map((each) => plainMessage(each)).join('; ') }
  }
}

function flatten(error: unknown): unknown[] {
  const { errors } = error as { errors?: unknown[] }
  return Array.isArray(errors) ? errors.flatMap(flatten) : [error]
}

function missingName(error: unknown): string | undefined {
  return /undefined variable: ([^\n,]+)/.exec(error instanceof Error ? error.message : '')?.[1]
}

function mistakesOf(error: unknown): TextMistake[] {
  return flatten(error).map((each) => ({ code: 'liquid', message: plainMessage(each), line: lineOf(each) }))
}

function lineOf(error: unknown): number {
  return LiquidError.is(error) ? (error.token?.getPosition?.()[0] ?? 1) : 1
}

/** What is wrong, without the place, which is told apart, and without the code around it. */
function plainMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return (message.split('\n')[0] ?? '').replace(/, line:\d+, col:\d+.*$/, '')
}

/** Variables that have to come from outside, with whether the text does without. */
function variablesOf(templates: Template[]): UsedVariable[] {
  const lenient = new Set<string>()
  collectLenient(templates, lenient)
  const { globals } = analyzeSync(templates, { partials: false })
  return Object.values(globals)
    .flat()
    .map((variable) => {
      const path = variable.segments.map(String).join('.')
      const { row, col } = variable.location
      return { path, line: row, optional: lenient.has(`${row}:${col}`) }
    })
    .toSorted((a, b) => a.line - b.line)
}

/** Places at which a missing value is no mistake: before a default, and in questions. */
function collectLenient(templates: Template[], found: Set<string>): void {
  for (const template of templates) {
    const isQuestion = ['if', 'unless', 'case'].includes((template as { name?: string }).name ?? '')
    const { value } = template as { value?: { filters?: Filter[] } }
    const hasDefault = template instanceof Output && value?.filters?.[0]?.name === 'default'
    if (isQuestion || hasDefault) {
      const asked = { token: template.token, arguments: () => template.arguments?.() ?? [] }
      for (const variable of Object.values(analyzeSync([asked as unknown as Template]).variables).flat())
        found.add(`${variable.location.row}:${variable.location.col}`)
    }
    const children = (template as Template).children?.(false, true)
    if (children) for (const child of childTemplates(children)) collectLenient(child, found)
  }
}

function* childTemplates(children: Generator<unknown, Template[]>): Generator<Template[]> {
  let step = children.next()
  while (!step.done) step = children.next(step.value)
  yield step.value
}

/** Stands for a value while markup is looked at. */
const VALUE = '\u0001'

/** Places in HTML where escaping would not keep a value from becoming markup. */
function markupMistakes(html: string): TextMistake[] {
  const mistakes: TextMistake[] = []
  const markup = html
    .replaceAll(/\{\{.*?\}\}/gs, (output) => VALUE + lineBreaksOf(output))
    .replaceAll(/\{%.*?%\}/gs, lineBreaksOf)
  const add = (code: 'script' | 'unquoted', index: number, message: string) =>
    mistakes.push({ code, message, line: markup.slice(0, index).split('\n').length })
  for (const { index } of markup.matchAll(/<\s*(?:script|iframe|object|embed|base)\b/gi))
    add('script', index, 'mail programs run no scripts and embed no pages; take it out')
  for (const { 0: tag, index } of markup.matchAll(/<[a-z!/](?:"[^"]*"|'[^']*'|[^"'<>])*(.?)/gi)) {
    // Inside quotes a value is kept by escaping; anywhere else in a tag it could add to the tag.
    const bare = tag.replaceAll(/"[^"]*"|'[^']*'/g, '')
    if (/\son[a-z]+\s*=/i.test(bare))
      add('script', index, 'mail programs run no scripts; take out the on… attribute')
    if (bare.includes(VALUE) || /["']$/.test(bare))
      add(
        'unquoted',
        index,
        'a variable inside a tag has to stand between double quotes, as in href="{{ event.url }}"',
      )
  }
  return mistakes
}

function lineBreaksOf(text: string): string {
  return text.replaceAll(/[^\n]/g, '')
}
