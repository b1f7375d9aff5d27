/** Each with what its name is found by; the more special ones first, because they call themselves the others too. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/wxwork/i, 'WeCom'],
  [/micromessenger/i, 'WeChat'],
  [/edg(?:e|a|ios)?\//i, 'Edge'],
  [/firefox|fxios/i, 'Firefox'],
  [/chrom(?:e|ium)|crios/i, 'Chrome'],
  [/safari/i, 'Safari'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iphone|ipad/i, 'iOS'],
  [/android/i, 'Android'],
  [/windows/i, 'Windows'],
  [/mac os/i, 'macOS'],
  [/linux/i, 'Linux'],
]

/** Browser and system out of what a browser calls itself, as far as people would recognise them. */
export function deviceOf(agent: string | null): { browser: string; system: string } {
  const find = (known: typeof BROWSERS) => known.find(([mark]) => mark.test(agent ?? ''))?.[1] ?? ''
  return { browser: find(BROWSERS), system: find(SYSTEMS) }
}
