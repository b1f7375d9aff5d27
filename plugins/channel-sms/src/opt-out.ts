/** Words that carriers and providers tell people to answer with. */
const usualWords = ['R', 'T', 'TD', 'N', '退订', '拒收', '取消']

/**
 * Whether a reply says no more: one of the usual words or of `more`, in any width or case. Some people answer with the
 * whole hint: 回T退订.
 */
export function isOptOut(reply: string, more: readonly string[] = []): boolean {
  const said = plain(reply).replace(/^回复?/, '')
  const hinted = said.replace(/退订$/, '')
  return [...usualWords, ...more].map(plain).some((word) => word !== '' && (word === said || word === hinted))
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{P}\p{S}]/gu, '')
}
