import { useQueryClient } from '@tanstack/vue-query'
import type { QueryKey } from '@tanstack/vue-query'
import { ref } from 'vue'
import { confirmed } from '../shell/confirm.ts'
import type { ConfirmOptions } from '../shell/confirm.ts'
import { toast, toastError } from '../shell/toasts.ts'

interface Action {
  /** Asked first; nothing happens without a yes. */
  ask?: ConfirmOptions
  /** Said when it went well; nothing without. */
  done?: string
  /** Said when it did not, above the reason. */
  failed: string
  /** What is asked for anew afterwards, however it went: what failed half-way may have changed something. */
  changes?: QueryKey
}

/** Does what a button says: asks back, says how it went, and has what it changed read anew. */
export function useAction() {
  const client = useQueryClient()
  const busy = ref(false)

  /** True when it was done. */
  async function act(work: () => Promise<unknown>, { ask, done, failed, changes }: Action): Promise<boolean> {
    if (ask && !(await confirmed(ask))) return false
    busy.value = true
    let isDone = false
    try {
      await work()
      isDone = true
      if (done) toast({ kind: 'success', title: done })
    } catch (cause) {
      toastError(cause, failed)
    } finally {
      busy.value = false
    }
    if (changes) await client.invalidateQueries({ queryKey: changes })
    return isDone
  }

  return { act, busy }
}
