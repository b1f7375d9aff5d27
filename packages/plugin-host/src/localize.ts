import { localizedKeys } from '@huitou/plugin-api'
import type { Localized, Texts } from '@huitou/plugin-api'
import type { Finding } from './manifest-errors.ts'

export interface Dictionaries {
  en: Readonly<Record<string, string>>
  'zh-CN': Readonly<Record<string, string>>
}

const keyPattern = /^%([^%]+)%$/
const textKeys = new Set<string>(localizedKeys)
/** Data: `title` may be an ordinary property name in there. */
const dataKeys = new Set(['default', 'const', 'enum', 'examples', 'where', 'definition'])
/** Where one kind of contribution has a text under a key of its own. */
const textPaths = new RegExp(
  `^contributes\\.(?:${[
    'reports\\[\\d+\\]\\.group',
    'commands\\[\\d+\\]\\.category',
    'journeys\\[\\d+\\]\\.(?:expected|group)',
    'scripts\\[\\d+\\]\\.scripts\\[\\d+\\]\\.text',
    'templates\\[\\d+\\]\\.texts\\[\\d+\\]\\.text',
  ].join('|')})$`,
)

/** Data all of whose `%key%` are texts. */
const textData = /^contributes\.journeys\[\d+\]\.(?:definition|parameters\..+\.default)$/

/**
 * `manifest` with every text for people in each language. A `%key%` that no dictionary holds becomes a finding;
 * one that only the English dictionary holds is shown in English everywhere.
 */
export function localize<T>(
  manifest: T,
  dictionaries: Dictionaries,
): { manifest: Localized<T>; findings: Finding[] } {
  const findings: Finding[] = []
  const walk = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => walk(item, `${path}[${index}]`))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        const memberPath = path === '' ? key : `${path}.${key}`
        if (textData.test(memberPath)) return [key, walkData(member, memberPath)]
        if (dataKeys.has(key)) return [key, member]
        if (typeof member !== 'string' || !isText(key, memberPath)) return [key, walk(member, memberPath)]
        return [key, toTexts(member, memberPath)]
      }),
    )
  }
  const walkData = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') return keyPattern.test(value) ? toTexts(value, path) : value
    if (Array.isArray(value)) return value.map((item, index) => walkData(item, `${path}[${index}]`))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, walkData(member, `${path}.${key}`)]),
    )
  }
  const toTexts = (text: string, path: string): Texts => {
    const name = keyPattern.exec(text)?.[1]
    if (name === undefined) {
      if (misleading.test(text))
        findings.push({ path, value: text, fix: 'take out the characters that turn or hide what is shown' })
      return { en: text, 'zh-CN': text }
    }
    const en = dictionaries.en[name]
    if (en === undefined) {
      findings.push({ path, value: text, fix: `add "${name}" to package.nls.json` })
      return { en: text, 'zh-CN': text }
    }
    return { en, 'zh-CN': dictionaries['zh-CN'][name] ?? en }
  }
  return { manifest: walk(manifest, '') as Localized<T>, findings }
}

/** Characters that turn the direction of writing, hide, or break lines apart: a name made of them is not what it looks. */
const misleading = /(?![\n\r\t\u00ad\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/u

/** Name of the first entry that is no text, or none that may be shown; undefined when all are. */
export function findWrongText(texts: unknown): string | undefined {
  if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) return 'the whole of it'
  const wrong = Object.entries(texts).find(
    ([key, text]) => key === '__proto__' || typeof text !== 'string' || misleading.test(text),
  )
  return wrong && `"${wrong[0].slice(0, 60)}"`
}

function isText(key: string, path: string): boolean {
  return textKeys.has(key) || textPaths.test(path)
}
