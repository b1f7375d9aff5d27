/** Personal data as everyone may see it: enough to recognise, too little to use. */
export function maskValue<T extends string | number | null>(
  value: T,
  { pii, logical }: { pii: boolean; logical: string },
): T | string {
  // A name is what people call a customer by; it is shown to everyone who may see customers at all.
  if (!pii || value === null || logical === 'name') return value
  if (/phone|mobile/i.test(logical)) return maskPhone(String(value))
  if (/e-?mail/i.test(logical)) return maskEmail(String(value))
  if (/birth/i.test(logical)) return maskTail(String(value), 5)
  return maskTail(String(value), 2)
}

export function maskIdentifier({ kind, value }: { kind: string; value: string }): string {
  if (kind === 'phone') return maskPhone(value)
  if (kind === 'email') return maskEmail(value)
  return value
}

function maskPhone(phone: string): string {
  const local = phone.replace(/^\+86/, '')
  return local.length < 7 ? '****' : `${local.slice(0, 3)}****${local.slice(-4)}`
}

function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  return at < 1 ? '***' : `${email.slice(0, 1)}***${email.slice(at)}`
}

/** Keeps the last characters, or the first half of a short text hidden. */
function maskTail(text: string, shown: number): string {
  return text.length <= shown ? '***' : `***${text.slice(-shown)}`
}
