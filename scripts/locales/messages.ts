import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Every text of one language by its dotted key. */
export type Messages = Map<string, string>

/** Flattens nested messages; a leaf that is not text is an error in the file, and is said to be one. */
export function flatten(tree: unknown, prefix = ''): Messages {
  if (typeof tree === 'string') return new Map([[prefix, tree]])
  if (typeof tree !== 'object' || tree === null)
    throw new Error(`"${prefix}" is not a text but ${String(tree)}`)
  const messages: Messages = new Map()
  for (const [key, value] of Object.entries(tree)) {
    for (const [inner, text] of flatten(value, prefix ? `${prefix}.${key}` : key)) messages.set(inner, text)
  }
  return messages
}

/**
 * All messages of the browser in one language: those of admin-kit, and one file an area in the admin app, whose
 * keys begin with the area. A file may repeat its area as its only top key.
 */
export function readMessages(root: string, locale: string): Messages {
  const all: Messages = new Map()
  const add = (file: string, prefix: string) => {
    const tree = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Record<string, unknown>
    const repeats = Object.keys(tree).length === 1 && prefix in tree
    for (const [key, text] of flatten(tree, repeats ? '' : prefix)) all.set(key, text)
  }
  for (const file of globSync(`packages/admin-kit/src/locales/${locale}.json`, { cwd: root })) add(file, '')
  for (const file of globSync(`apps/admin/src/locales/${locale}/*.json`, { cwd: root })) {
    add(file, camelCase(path.basename(file, '.json')))
  }
  return all
}

/** What makes two languages differ in more than words, as sentences. Empty when nothing does. */
export function differences(one: Messages, other: Messages, names: [string, string]): string[] {
  const problems: string[] = []
  for (const [key, text] of one) {
    const counterpart = other.get(key)
    if (counterpart === undefined) problems.push(`"${key}" is in ${names[0]} and not in ${names[1]}`)
    else if (placeholders(text) !== placeholders(counterpart)) {
      problems.push(
        `"${key}" has ${placeholders(text) || 'nothing'} to fill in in ${names[0]}, ${placeholders(counterpart) || 'nothing'} in ${names[1]}`,
      )
    }
    if (text.trim() === '') problems.push(`"${key}" is empty in ${names[0]}`)
  }
  for (const key of other.keys()) {
    if (!one.has(key)) problems.push(`"${key}" is in ${names[1]} and not in ${names[0]}`)
  }
  return problems
}

/** Names in braces, sorted, once each: plural forms repeat them. */
function placeholders(text: string): string {
  const names = [...text.matchAll(/\{\s*(\w+)\s*\}/g)].map((match) => match[0].replaceAll(/\s/g, ''))
  return [...new Set(names)].toSorted().join(' ')
}

const call = /(?<![\w.])(?:i18n\.global\.)?\$?t[ecm]?\(\s*(['"`])((?:(?!\1).)*)\1/g
const attribute = /(?<![\w:])keypath="([^"]+)"/g

export interface UsedKey {
  /** A key, or with `*` for the part only known at run time. */
  key: string
  line: number
}

/** Keys that a source file asks for with `t('…')`, `$t('…')`, `te('…')` or `keypath="…"`. */
export function usedKeys(source: string): UsedKey[] {
  const found = [...source.matchAll(call)].map((match) => ({ key: match[2]!, at: match.index }))
  found.push(...[...source.matchAll(attribute)].map((match) => ({ key: match[1]!, at: match.index })))
  return found
    .map(({ key, at }) => ({ key: openParts(key), line: source.slice(0, at).split('\n').length }))
    .filter(({ key }) => /[a-z]/i.test(key))
}

/** Whether a key, or for a key with `*` any key of that shape, has a message. */
export function hasMessage(messages: Messages, key: string): boolean {
  return messages.has(key) || (key.includes('*') && messages.keys().some((known) => fits(known, key)))
}

/** Keys between percent signs, as a manifest and a plugin's code name their texts; `*` for a part made at run time. */
export function manifestKeys(text: string): string[] {
  const found = [...text.matchAll(/(["'`])%((?:[^%\s"'`]|\$\{[^}]*\})+)%\1/g)]
  return [...new Set(found.map((match) => openParts(match[2]!)))]
}

/** Every string in a source file that could be a key. */
export function literals(source: string): string[] {
  const found = [...source.matchAll(/(["'`])((?:[\w.-]|\$\{[^}]*\})+)\1/g)].map((match) =>
    openParts(match[2]!),
  )
  // A literal of open parts only would name everything.
  return found.filter((key) => /\w/.test(key))
}

/** Keys that no name, nor any name with an open part, leads to. */
export function unnamed(messages: Messages, names: string[]): string[] {
  return [...messages.keys()].filter((key) => !names.some((name) => fits(key, name)))
}

function openParts(key: string): string {
  return key.replaceAll(/\$\{[^}]*\}/g, '*')
}

function fits(key: string, name: string): boolean {
  const pattern = name.split('*').map((part) => RegExp.escape(part))
  return new RegExp(`^${pattern.join('.+')}$`).test(key)
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}
