/** Header fields by lower-case name, folded lines put together. Of a field that stands twice, the first. */
export function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([\w-]{1,100}):[ \t]*(.*)$/.exec(line) ?? []
    const key = name.toLowerCase()
    if (key !== '' && !fields.has(key)) fields.set(key, value.trim())
  }
  return fields
}

/** The fields of a message, without what its body says. */
export function readHead(message: string): Map<string, string> {
  return readFields(message.trimStart().split(/\r?\n[ \t]*\r?\n/, 1)[0] ?? '')
}
