import { isTyping } from '@huitou/admin-kit'
import { useEventListener } from '@vueuse/core'
import type { Ref } from 'vue'

/** Single keys of a page that is in front, as long as nobody types and no window stands over it. */
export function useTaskKeys(
  active: Readonly<Ref<boolean>>,
  keys: (key: string) => (() => unknown) | undefined,
) {
  useEventListener(document, 'keydown', (event) => {
    if (!active.value || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return
    if (document.querySelector('dialog[open]')) return
    // Enter on a button or a link is that one's own.
    if (event.key === 'Enter' && (event.target as HTMLElement).closest('a, button')) return
    const action = keys(event.key)
    if (!action) return
    event.preventDefault()
    action()
  })
}
