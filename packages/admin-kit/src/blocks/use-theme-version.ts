import { useMutationObserver } from '@vueuse/core'
import { ref } from 'vue'
import type { Ref } from 'vue'

/** A number that grows each time the page changes between light and dark. */
export function useThemeVersion(): Ref<number> {
  const version = ref(0)
  useMutationObserver(document.documentElement, () => void (version.value += 1), {
    attributeFilter: ['data-theme'],
  })
  return version
}
