const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform)

/** Whether the key event is the combination `keys`, for instance `mod+k`, `alt+w`, `?`. */
export function matchesKeys(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.toLowerCase().split('+')
  const key = parts.at(-1)!
  const wants = (name: string) => parts.slice(0, -1).includes(name)
  const mod = isMac ? event.metaKey : event.ctrlKey
  if (mod !== wants('mod') || event.altKey !== wants('alt')) return false
  // With Alt, a Mac types another letter: compare the key's place instead.
  const pressed = event.altKey
    ? event.code.replace(/^(Key|Digit)/, '').toLowerCase()
    : event.key.toLowerCase()
  if (pressed !== key) return false
  return key.length > 1 || /[a-z0-9]/.test(key) ? event.shiftKey === wants('shift') : true
}

/** The combination as people read it: `⌘K` on a Mac, `Ctrl K` elsewhere. */
export function keyWords(keys: string): string {
  const names: Record<string, string> = isMac
    ? { mod: '⌘', alt: '⌥', shift: '⇧', escape: 'Esc' }
    : { mod: 'Ctrl', alt: 'Alt', shift: 'Shift', escape: 'Esc' }
  const words = keys.split('+').map((key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key))
  return words.join(isMac ? '' : ' ')
}

/** Whether the event comes out of something one types in. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}
