import { computed, shallowRef } from 'vue'
import { record, redo, startHistory, undo } from './model/history.ts'
import type { History } from './model/history.ts'

/** What is edited, with undo and redo; `onChange` is called after each edit of a person. */
export function useHistory<T>(onChange: () => void) {
  const history = shallowRef<History<T>>()

  function go(next: History<T> | undefined) {
    if (!next || next === history.value) return
    history.value = next
    onChange()
  }

  return {
    present: computed(() => history.value?.present),
    canUndo: computed(() => (history.value?.past.length ?? 0) > 0),
    canRedo: computed(() => (history.value?.future.length ?? 0) > 0),
    /** Begins anew; with `edited` as if somebody had just changed it to that. */
    begin(first: T, edited?: T) {
      const started = startHistory(first)
      history.value = edited === undefined ? started : record(started, edited)
    },
    edit: (next: T, about?: string) => go(history.value && record(history.value, next, about)),
    undo: () => go(history.value && undo(history.value)),
    redo: () => go(history.value && redo(history.value)),
  }
}
