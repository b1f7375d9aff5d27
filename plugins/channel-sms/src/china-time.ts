/** `20260301`: the day in China. */
export function chinaDay(at: number): string {
  return new Date(at + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '')
}

/** Epoch milliseconds of `2026-03-01 12:00:00` in China, which is how providers there write times. */
export function readChinaTime(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined
  const at = Date.parse(`${text.replace(' ', 'T')}+08:00`)
  return Number.isFinite(at) ? at : undefined
}
