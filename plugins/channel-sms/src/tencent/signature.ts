import { createHash, createHmac } from 'node:crypto'

export interface TencentCall {
  host: string
  service: string
  action: string
  version: string
  region: string
  body: string
  now: number
}

const contentType = 'application/json; charset=utf-8'

/** Headers of a POST, signed with TC3-HMAC-SHA256. */
export function signedHeaders(
  { host, service, action, version, region, body, now }: TencentCall,
  { secretId, secretKey }: { secretId: string; secretKey: string },
): Record<string, string> {
  const timestamp = Math.floor(now / 1000)
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10)
  const names = 'content-type;host;x-tc-action'
  const canonical = [
    'POST',
    '/',
    '',
    `content-type:${contentType}`,
    `host:${host}`,
    `x-tc-action:${action.toLowerCase()}`,
    '',
    names,
    sha256(body),
  ].join('\n')
  const scope = `${date}/${service}/tc3_request`
  const text = ['TC3-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n')
  const dateKey = hmac(`TC3${secretKey}`, date)
  const signature = hmac(hmac(hmac(dateKey, service), 'tc3_request'), text).toString('hex')
  return {
    host,
    'content-type': contentType,
    'x-tc-action': action,
    'x-tc-version': version,
    'x-tc-region': region,
    'x-tc-timestamp': String(timestamp),
    authorization: `TC3-HMAC-SHA256 Credential=${secretId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
