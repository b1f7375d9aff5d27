const NOTHING = new Set([
  '',
  '-',
  '--',
  '—',
  '——',
  '－',
  '/',
  'null',
  'none',
  'nan',
  'n/a',
  '#n/a',
  '\\n',
  'undefined',
  '暂无',
])

/**
 * The text of a cell without what the exporting program wrapped around it: byte order mark, tabs, blanks,
 * `="…"`, a leading apostrophe that keeps spreadsheets from computing. Empty when the cell says "nothing".
 */
export function cleanCell(cell: string | undefined): string {
  if (cell === undefined || cell === '') return ''
  if (isPlain(cell)) return cell
  let text = cell
  if (isWrapped(text)) {
    text = trimCell(text)
    if (text.startsWith('="') || text.startsWith("='")) text = text.slice(2).replace(/["']$/, '')
    else if (text.length > 1 && text.startsWith('"') && text.endsWith('"')) text = text.slice(1, -1)
    if (/^['`][\d+=@-]/.test(text)) text = text.slice(1)
    text = trimCell(text)
  }
  return text.length <= 9 && NOTHING.has(text.toLowerCase()) ? '' : text
}

/** Like {@link cleanCell}, with full-width letters, digits and punctuation made plain. For ids, numbers and codes. */
export function cleanToken(cell: string | undefined): string {
  return toHalfWidth(cleanCell(cell))
}

/**
 * An id as text. A spreadsheet's `17850.0` is `17850`; nothing else is computed, because ids of 16 to 20 digits
 * do not survive a number.
 */
export function cleanId(cell: string | undefined): string {
  const id = cleanToken(cell)
  return id.endsWith('.0') && /^\d+\.0$/.test(id) ? id.slice(0, -2) : id
}

/** `1.93068E+18`: a spreadsheet has rounded the id away, and no one can bring it back. */
export function isScientific(id: string): boolean {
  return /^\d(?:\.\d+)?[eE]\+?\d{1,2}$/.test(id) && (id.includes('.') || id.includes('+'))
}

/** Masked (`1******6198`, `张**`) or encrypted (`##…`, `$$…`): it must never name a customer. */
export function isMasked(text: string): boolean {
  return (
    text.includes('*') ||
    text.startsWith('##') ||
    text.startsWith('$$') ||
    text.includes('密文') ||
    /[xX●•＊]{3,}/.test(text)
  )
}

/** Full-width forms as their plain counterparts, everything else untouched. */
export function toHalfWidth(text: string): string {
  return /[\uFF01-\uFF5E\u3000\u00A0]/.test(text)
    ? text
        .replace(/[\uFF01-\uFF5E]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0))
        .replace(/[\u3000\u00A0]/g, ' ')
    : text
}

/** A heading in the form in which headings are compared: plain width, lower case, no blanks, no `_`, `-`, `.`. */
export function headingKey(heading: string): string {
  return toHalfWidth(cleanCell(heading))
    .toLowerCase()
    .replace(/[\s_\-.:]+/g, '')
}

/** Begins with a digit and ends like a word: most cells, and there is nothing to clean. */
function isPlain(text: string): boolean {
  const first = text.charCodeAt(0)
  const last = text.charCodeAt(text.length - 1)
  return first >= 48 && first <= 57 && last >= 48 && last <= 122
}

function isWrapped(text: string): boolean {
  const first = text.charCodeAt(0)
  const last = text.charCodeAt(text.length - 1)
  // Below `(` stand the control characters, the blank, `"` and `'`.
  return first < 40 || first === 61 || first === 96 || isOdd(first) || last < 40 || isOdd(last)
}

/** Neither ASCII nor Chinese: it may be a blank or a mark that nobody sees. */
function isOdd(code: number): boolean {
  return code > 127 && (code < 0x4e_00 || code > 0x9f_ff)
}

function trimCell(text: string): string {
  return text.replace(/^[\s\uFEFF\u200B\u200E\u202C\u202D]+|[\s\uFEFF\u200B\u200E\u202C\u202D]+$/g, '')
}
