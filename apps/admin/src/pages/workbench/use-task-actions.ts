import {
  assignTask,
  cancelTask,
  claimTask,
  finishTask,
  queryKeys,
  releaseTask,
  reopenTask,
  snoozeTask,
  toastError,
} from '@huitou/admin-kit'
import type { TaskDetails } from '@huitou/admin-kit'
import { useQueryClient } from '@tanstack/vue-query'
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'

/** What people do to tasks. A refusal is told, and everything is read again either way. */
export function useTaskActions() {
  const client = useQueryClient()
  const { t } = useI18n()
  const busy = ref(false)

  async function run(action: () => Promise<TaskDetails>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    try {
      const task = await action()
      client.setQueryData(queryKeys.task(task.id), task)
      return true
    } catch (error) {
      toastError(error, t('workbench.failed'))
      return false
    } finally {
      busy.value = false
      void client.invalidateQueries({ queryKey: queryKeys.tasks })
    }
  }

  return {
    busy,
    claim: (id: number) => run(() => claimTask(id)),
    release: (id: number) => run(() => releaseTask(id)),
    reopen: (id: number) => run(() => reopenTask(id)),
    cancel: (id: number) => run(() => cancelTask(id)),
    assign: (id: number, to: { assignee?: string | null; queue?: string }) => run(() => assignTask(id, to)),
    snooze: (id: number, until: number | null) => run(() => snoozeTask(id, until)),
    finish: (id: number, end: { outcome: string; note?: string }) => run(() => finishTask(id, end)),
  }
}
