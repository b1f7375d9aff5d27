/** What a publisher hands out so that others can trust their signature. */
interface PublisherFile {
  publisher: string
  publicKey: string
  keyId?: string
}

/** The key in a text that `huitou plugin keygen` wrote as the public half; undefined when it is none. */
export function readPublisherFile(text: string): PublisherFile | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { publisher, publicKey, keyId } = { ...(value as Partial<Record<string, unknown>>) }
  if (typeof publisher !== 'string' || typeof publicKey !== 'string') return undefined
  return { publisher, publicKey, ...(typeof keyId === 'string' ? { keyId } : {}) }
}

/** Whether a text holds the half of a key that its publisher must keep to themselves. */
export function isPrivateKey(text: string): boolean {
  return /"privateKey"\s*:/.test(text)
}
