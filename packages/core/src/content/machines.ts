/** Programs that fetch addresses on their own: crawlers, link previews, and gateways that look into mail. */
const MACHINES =
  /bot\b|bot[/;)]|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|telegram|skypeuripreview|embedly|quora link|pinterest|vkshare|w3c_validator|curl|wget|python|go-http-client|java\/|okhttp|node-fetch|undici|axios|libwww|httpclient|headless|phantom|puppeteer|playwright|lighthouse|monitor|uptime|scan|barracuda|proofpoint|mimecast|ironport|fireeye|safelinks|symantec|messagelabs|forcepoint|trendmicro|sophos|mailguard|googleimageproxy|google-safety|google-read-aloud|yahoomailproxy|bingpreview|office existence|microsoft office|ms-office|url-?check|mtcheck|qihoo|360spider|sogou|baiduspider|bytespider|yisou/i
/** Headers of browsers that fetch what somebody might open next. */
const AHEAD = ['purpose', 'x-purpose', 'sec-purpose', 'x-moz']

/** Whether a request tells by itself that nobody pressed anything. */
export function isMachine(method: string, header: (name: string) => string | undefined): boolean {
  if (method !== 'GET') return true
  const agent = header('user-agent') ?? ''
  if (agent.length < 10 || MACHINES.test(agent)) return true
  if (AHEAD.some((name) => /prefetch|preview|prerender/i.test(header(name) ?? ''))) return true
  // What a browser fetches for a page that shows it, not because somebody went there.
  const destination = header('sec-fetch-dest')
  return destination !== undefined && destination !== 'document' && destination !== 'empty'
}
