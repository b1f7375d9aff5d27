import { userError } from '@huitou/plugin-api'

/** Deeper than any rule or journey that a person could read. */
const DEPTH = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])
/** Escapes of a nought, and of half a character. */
const ODD_ESCAPE = /\\u(?:0000|d[89a-f])/i

/**
 * Refuses JSON that is nested deeper than anybody writes by hand, which would exhaust the stack of whoever walks through
 * it, and text with noughts or halves of characters, which PostgreSQL does not store. Says nothing about the rest.
 */
export function refuseOddText(body: Uint8Array): void {
  if (depthOf(body) > DEPTH)
    throw userError('E_JSON_DEPTH', `JSON may be nested ${DEPTH} levels deep`, {
      hint: 'Say it with fewer levels.',
    })
  const text = new TextDecoder().decode(body)
  if (ODD_ESCAPE.test(text) && hasOddText(tryJson(text)))
    throw userError(
      'E_CHARACTER',
      'The text holds a character that cannot be kept: a nought, or half of one',
      {
        hint: 'Take it out, or let the program that sends it encode text as UTF-8.',
      },
    )
}

/** How deep brackets stand in one another, outside of strings; what is no JSON has some depth too. */
function depthOf(body: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let isText = false
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number
    if (isText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (OPENING.has(byte)) deepest = Math.max(deepest, ++depth)
    else if (CLOSING.has(byte)) depth--
  }
  return deepest
}

function hasOddText(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed()
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => hasOddText(key) || hasOddText(inner))
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
