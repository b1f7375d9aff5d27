const DEFAULT_PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' }

/**
 * Whether a URL lies on a host that `pattern` names: `api.example.com`, or `*.example.com` for everything below it,
 * on the scheme's own port or on the one given. Anything but HTTP and HTTPS, and a URL with a password, fits nothing.
 */
export function fitsHost(pattern: string, url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const defaultPort = parsed && DEFAULT_PORTS[parsed.protocol]
  if (!parsed || !defaultPort || parsed.username !== '' || parsed.password !== '') return false
  const wanted = splitPort(pattern.toLowerCase())
  if ((parsed.port || defaultPort) !== (wanted.port ?? defaultPort)) return false
  const host = bare(parsed.hostname)
  return wanted.host.startsWith('*.')
    ? host.endsWith(wanted.host.slice(1)) && host.length > wanted.host.length - 1
    : host === bare(wanted.host)
}

/** Whether the pattern names the host itself, not a family that it belongs to. */
export function namesLiterally(pattern: string, hostname: string): boolean {
  return bare(splitPort(pattern.toLowerCase()).host) === bare(hostname)
}

function splitPort(pattern: string): { host: string; port: string | undefined } {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(pattern) ?? [undefined, pattern]
  return { host, port }
}

/** Without the brackets of an IPv6 address and the dot at the end. */
function bare(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
}
