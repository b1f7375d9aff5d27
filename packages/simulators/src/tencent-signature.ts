import { createHash, createHmac } from 'node:crypto'

export interface TencentRequest {
  host: string
  service: string
  contentType: string
  /** Seconds since 1970. */
  timestamp: number
  body: Uint8Array | string
  /** Signed as well when given. */
  action?: string
}

/** TC3-HMAC-SHA256 as the provider works it out. */
export function tencentSignature(
  request: TencentRequest,
  secretKey: string,
): { hash: string; signature: string } {
  const { host, service, contentType, timestamp, body, action } = request
  const withAction = action === undefined ? '' : `x-tc-action:${action.toLowerCase()}\n`
  const signedHeaders = `content-type;host${action === undefined ? '' : ';x-tc-action'}`
  const canonical = `POST\n/\n\ncontent-type:${contentType}\nhost:${host}\n${withAction}\n${signedHeaders}\n${sha256(body)}`
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10)
  const hash = sha256(canonical)
  const text = `TC3-HMAC-SHA256\n${timestamp}\n${date}/${service}/tc3_request\n${hash}`
  const key = ['tc3_request', service, date].reduceRight<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `TC3${secretKey}`,
  )
  return { hash, signature: createHmac('sha256', key).update(text).digest('hex') }
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}
