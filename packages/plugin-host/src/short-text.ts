/**
 * The first `limit` characters as a text of its own: `slice` alone would keep the long text in memory behind it.
 */
export function shortText(text: string, limit: number): string {
  return text.length <= limit ? text : `${Buffer.from(text.slice(0, limit)).toString()}…`
}
