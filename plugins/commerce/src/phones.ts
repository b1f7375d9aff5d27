import { cleanToken, isMasked, isScientific } from './cells.ts'

/**
 * A phone number in E.164, or undefined when it names nobody: masked, a landline, a privacy number that the
 * marketplace lends for one order (it has an extension), or no number at all.
 */
export function findPhone(cell: string | undefined, callingCode = '86'): string | undefined {
  const text = cleanToken(cell)
  if (text === '' || isMasked(text) || isScientific(text)) return undefined
  if (/(转|ext|#|,|;)\s*\d+/i.test(text) || /\d{11}[-_]\d{3,4}$/.test(text)) return undefined
  let digits = text.replace(/^tel:/i, '').replace(/[\s()\-.]/g, '')
  if (digits.startsWith('00')) digits = `+${digits.slice(2)}`
  if (!/^\+?\d{7,15}$/.test(digits)) return undefined
  if (!digits.startsWith('+')) {
    if (callingCode === '86')
      digits = digits.length === 13 && digits.startsWith('86') ? `+${digits}` : `+86${digits}`
    else
      digits =
        digits.startsWith(callingCode) && digits.length > 10
          ? `+${digits}`
          : `+${callingCode}${digits.replace(/^0/, '')}`
  }
  if (digits.startsWith('+86')) return /^\+861[3-9]\d{9}$/.test(digits) ? digits : undefined
  return /^\+[1-9]\d{7,14}$/.test(digits) ? digits : undefined
}

/** An e-mail address in lower case, or undefined when it is masked or none. */
export function findEmail(cell: string | undefined): string | undefined {
  const text = cleanToken(cell).toLowerCase()
  if (text === '' || isMasked(text)) return undefined
  return text.length <= 254 && /^[^\s@<>"',;]+@[^\s@<>"',;]+\.[a-z0-9\u0080-\uFFFF-]{2,}$/.test(text)
    ? text
    : undefined
}
