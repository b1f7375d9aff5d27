/** E.164; eleven digits from 1 are a Chinese mobile. Undefined for anything that cannot be dialled. */
export function normalizePhone(text: string): string | undefined {
  const digits = text.replaceAll(/[\s()\-.]/g, '')
  if (/^1[3-9]\d{9}$/.test(digits)) return `+86${digits}`
  if (/^(?:\+|00)?86-?1[3-9]\d{9}$/.test(digits)) return `+86${digits.slice(-11)}`
  if (/^(?:\+|00)[1-9]\d{6,14}$/.test(digits)) return `+${digits.replace(/^(?:\+|00)/, '')}`
  return undefined
}

/** In small letters; undefined for what is no e-mail address. */
export function normalizeEmail(text: string): string | undefined {
  return /^[^\s@]+@[^\s@]+$/.test(text) ? text.toLowerCase() : undefined
}
