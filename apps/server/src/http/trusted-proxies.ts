import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { userError } from '@huitou/plugin-api'

/** Who sent a request, and over what. */
export interface Client {
  address: string
  isSecure: boolean
}

/** Finds out who sent a request: the connection, or what a proxy that is trusted says. */
export type FindClient = (request: IncomingMessage) => Client

/**
 * Reads a list of addresses and networks (`loopback`, `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`) whose `X-Forwarded-For` and
 * `X-Forwarded-Proto` are believed. What anybody else says there is not.
 */
export function trustProxies(list: string): FindClient {
  const trusted = new BlockList()
  for (const entry of list.split(',').map((each) => each.trim())) if (entry !== '') addTo(trusted, entry)
  const isTrusted = (address: string) => {
    const family = isIP(address)
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
  return (request) => {
    const direct = plain(request.socket.remoteAddress ?? '')
    const isSecure = 'encrypted' in request.socket
    if (!isTrusted(direct)) return { address: direct, isSecure }
    const hops = [...listOf(request.headers['x-forwarded-for']).map(plain), direct]
    // From our side outwards: the first that is no proxy of ours is the one to believe in.
    const address = hops.findLast((hop) => isIP(hop) !== 0 && !isTrusted(hop)) ?? hops[0] ?? direct
    const [protocol] = listOf(request.headers['x-forwarded-proto'])
    return { address: isIP(address) === 0 ? direct : address, isSecure: isSecure || protocol === 'https' }
  }
}

function addTo(trusted: BlockList, entry: string): void {
  if (entry === 'loopback') {
    trusted.addSubnet('127.0.0.0', 8, 'ipv4')
    trusted.addAddress('::1', 'ipv6')
    return
  }
  const [network = '', bits, ...more] = entry.split('/')
  const family = isIP(network)
  const size = family === 6 ? 128 : 32
  const prefix = bits === undefined ? size : Number(bits)
  if (family === 0 || more.length > 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > size) {
    throw userError('E_CONFIG', `HUITOU_TRUSTED_PROXIES: "${entry}" is no address or network`, {
      hint: 'For instance: loopback, 10.0.0.0/8',
    })
  }
  trusted.addSubnet(network, prefix, family === 6 ? 'ipv6' : 'ipv4')
}

function listOf(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

/** IPv4 over an IPv6 socket is IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
