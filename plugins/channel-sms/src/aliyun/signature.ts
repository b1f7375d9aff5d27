import { createHash, createHmac } from 'node:crypto'

export interface AliyunCall {
  host: string
  action: string
  version: string
  query: Readonly<Record<string, string>>
  now: number
  nonce: string
}

/** Address and headers of a POST without a body, signed with ACS3-HMAC-SHA256. */
export function signedRequest(
  { host, action, version, query, now, nonce }: AliyunCall,
  { accessKeyId, accessKeySecret }: { accessKeyId: string; accessKeySecret: string },
): { url: string; headers: Record<string, string> } {
  const search = Object.keys(query)
    .toSorted()
    .map((name) => `${escape(name)}=${escape(query[name] as string)}`)
    .join('&')
  const headers: Record<string, string> = {
    host,
    'x-acs-action': action,
    'x-acs-content-sha256': sha256(''),
    'x-acs-date': `${new Date(now).toISOString().slice(0, 19)}Z`,
    'x-acs-signature-nonce': nonce,
    'x-acs-version': version,
  }
  const names = Object.keys(headers).toSorted()
  const canonical = [
    'POST',
    '/',
    search,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    sha256(''),
  ].join('\n')
  const signature = createHmac('sha256', accessKeySecret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest('hex')
  return {
    url: `https://${host}/?${search}`,
    headers: {
      ...headers,
      authorization: `ACS3-HMAC-SHA256 Credential=${accessKeyId},SignedHeaders=${names.join(';')},Signature=${signature}`,
    },
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** RFC 3986: stricter than what JavaScript escapes. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
