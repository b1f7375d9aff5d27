import { useFormat, useLocalized } from '@huitou/admin-kit'
import type { IconName, Task, TaskDetails, TaskQueue } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'

const KIND_ICONS: Record<string, IconName> = {
  call: 'phone',
  message: 'message-circle',
  review: 'star',
  gift: 'gift',
  complaint: 'message-square',
}

/** How tasks are said in the reader's language. */
export function useTaskWords() {
  const { t, te } = useI18n()
  const format = useFormat()
  const localized = useLocalized()
  const known = (key: string, otherwise: string) => (te(key) ? t(key) : otherwise)

  const queueName = (name: string) => (name === '' ? t('workbench.defaultQueue') : name)
  const outcomeTitle = (task: Pick<Task, 'outcomes'>, id: string | null) => {
    const title = localized(task.outcomes.find((outcome) => outcome.id === id)?.title)
    return title || (id === 'done' ? t('workbench.done') : (id ?? ''))
  }

  function eventText(
    { kind, details }: TaskDetails['history'][number],
    { task, queues }: { task: Pick<Task, 'outcomes'>; queues: readonly Pick<TaskQueue, 'id' | 'name'>[] },
  ): string {
    const { to, toName, reason, outcome } = details as Record<string, string | undefined>
    const until = Number(details['until'] ?? 0)
    const queue = queueName(
      queues.find(({ id }) => id === details['queue'])?.name ?? String(details['queue'] ?? ''),
    )
    if (kind === 'cancelled' && reason) return t(`workbench.events.cancelled_${reason}`)
    if (kind === 'snoozed') return t('workbench.events.snoozed', { time: format.dateTime(until) })
    if (kind === 'assigned') return t('workbench.events.assigned', { name: toName ?? to ?? '' })
    if (kind === 'moved') return t('workbench.events.moved', { name: queue })
    if (kind === 'done') return t('workbench.events.done', { outcome: outcomeTitle(task, outcome ?? null) })
    if (kind === 'escalated') return t('workbench.events.escalated', { name: toName ?? queue })
    return known(`workbench.events.${kind}`, kind)
  }

  return {
    eventText,
    kind: (kind: string) => known(`workbench.kinds.${kind}`, kind),
    kindIcon: (kind: string): IconName => KIND_ICONS[kind] ?? 'headset',
    queue: queueName,
    outcome: outcomeTitle,
    creator: (by: string) =>
      by === 'journey'
        ? t('workbench.byJourney')
        : by.startsWith('plugin:')
          ? t('workbench.byPlugin', { name: by.slice('plugin:'.length) })
          : by,
  }
}
