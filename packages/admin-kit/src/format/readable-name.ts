/** A technical name such as `wecom.friend_added` as words: "Wecom friend added". Names with blanks stay as they are. */
export function readableName(name: string): string {
  if (/\s/.test(name)) return name
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[._\-\s]+/)
    .filter(Boolean)
    .join(' ')
    .toLowerCase()
  return words === '' ? name : `${words[0]!.toUpperCase()}${words.slice(1)}`
}
