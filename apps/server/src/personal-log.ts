const PERSONAL_KEY = /phone|mobile|e-?mail|address|birth|id_?card|passport|receiver|(?:^|_)name$/i
const PHONE = /(?<![\d.])(\+?86)?(1[3-9]\d)\d{4}(\d{4})(?!\d)/g
const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi

/** A line that a plugin wants logged, without what looks like personal data: logs are kept and passed around. */
export function withoutPersonalData<T>(value: T): T {
  return clean(value, 0) as T
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.replaceAll(PHONE, '$1$2****$3').replaceAll(EMAIL, '***@***')
  if (typeof value !== 'object' || value === null || depth > 6) return value
  if (value instanceof Error) {
    const { message, stack, code } = value as NodeJS.ErrnoException
    return clean({ message, stack, ...(code ? { code } : {}) }, depth)
  }
  if (Array.isArray(value)) return value.map((inner) => clean(inner, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      PERSONAL_KEY.test(key) ? '***' : clean(inner, depth + 1),
    ]),
  )
}
