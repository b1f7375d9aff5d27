/** The Message-ID of a delivery: the same however often it is sent, and it names the delivery to whoever reports. */
export function messageIdOf(key: string, from: string): string {
  return `<ht.${Buffer.from(key).toString('base64url')}@${from.split('@').at(-1)}>`
}

/** The first of our Message-IDs in a text, with the key of its delivery. */
export function findMessageId(text: string): { messageId: string; key: string } | undefined {
  const found = /<ht\.([\w-]+)@[^\s<>@]+>/.exec(text)
  if (!found) return undefined
  return { messageId: found[0], key: Buffer.from(found[1] as string, 'base64url').toString() }
}
