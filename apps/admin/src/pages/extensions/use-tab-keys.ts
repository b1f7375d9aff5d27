import { nextTick } from 'vue'
import type { ComputedRef } from 'vue'

/** Moves among the tabs of a page with the arrow keys. */
export function useTabKeys(
  ids: ComputedRef<string[]>,
  current: ComputedRef<string>,
  show: (id: string) => unknown,
) {
  return (step: number) => {
    const at = ids.value.indexOf(current.value)
    const next = ids.value[(at + step + ids.value.length) % ids.value.length]
    if (!next) return
    show(next)
    void nextTick(() => document.getElementById(`subtab-${next}`)?.focus())
  }
}
