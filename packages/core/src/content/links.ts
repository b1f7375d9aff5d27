import type { JsonSchema } from '@huitou/plugin-api'
import { escapeHtml } from './filters.ts'
import { fieldKind } from './fields.ts'

/** Whether a link leads to a page: only such are counted, and only to such anybody is led on. */
export function isWebAddress(url: string): boolean {
  if (!/^https?:\/\/[^\s<>"\\]+$/i.test(url) || url.length > 4_000) return false
  try {
    const { protocol, hostname, username } = new URL(url)
    return (protocol === 'https:' || protocol === 'http:') && hostname !== '' && username === ''
  } catch {
    return false
  }
}

/** What links in a message may lead to besides pages. */
const HARMLESS = /^(?:mailto|tel|sms|weixin|cid):/i
const HREF = /(<a\b(?:[^"'<>]|"[^"]*"|'[^']*')*?\shref\s*=\s*)(?:"([^"]*)"|'([^']*)')/gi
/** A link in plain text ends where Chinese or a closing mark begins. */
const IN_TEXT = /https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+/g

/**
 * Puts what `shorten` gives in the place of every link to a page: in links of HTML, in fields that are a link, and in
 * texts. A link of HTML that would run something leads nowhere instead.
 */
export function rewriteLinks(
  content: Readonly<Record<string, unknown>>,
  { schema, shorten }: { schema?: JsonSchema | undefined; shorten(url: string): string },
): Record<string, unknown> {
  const rewritten: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(content)) {
    const kind = fieldKind(schema, field)
    if (kind === 'html' && typeof value === 'string') rewritten[field] = rewriteHtml(value, shorten)
    else if (kind === 'url' && typeof value === 'string')
      rewritten[field] = field !== 'unsubscribe_url' && isWebAddress(value) ? shorten(value) : value
    else rewritten[field] = kind === 'text' ? rewriteTexts(value, shorten) : value
  }
  return rewritten
}

function rewriteHtml(html: string, shorten: (url: string) => string): string {
  return html.replaceAll(HREF, (whole, before: string, double?: string, single?: string) => {
    const url = unescapeHtml(double ?? single ?? '').trim()
    if (isWebAddress(url)) return `${before}"${escapeHtml(shorten(url))}"`
    return url === '' || url.startsWith('#') || HARMLESS.test(url) ? whole : `${before}"#"`
  })
}

function rewriteTexts(value: unknown, shorten: (url: string) => string): unknown {
  if (typeof value === 'string')
    return value.replaceAll(IN_TEXT, (found) => {
      const url = found.replace(/[.,;:!?)'\]]+$/, '')
      return isWebAddress(url) ? shorten(url) + found.slice(url.length) : found
    })
  if (Array.isArray(value)) return value.map((inner) => rewriteTexts(inner, shorten))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rewriteTexts(inner, shorten)]))
}

function unescapeHtml(text: string): string {
  return text.replaceAll(
    /&(?:amp|lt|gt|quot|apos|nbsp|Tab|NewLine|colon|#\d{1,7}|#x[\da-f]{1,6});/gi,
    (entity) => {
      const name = entity.slice(1, -1)
      const known = NAMED[name.toLowerCase()]
      if (known !== undefined) return known
      const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
      return Number.isInteger(code) && code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
    },
  )
}

const NAMED: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  tab: '\t',
  newline: '\n',
  colon: ':',
}
