import type { DeliveryState, IconName } from '@huitou/admin-kit'

export type Tone = 'plain' | 'accent' | 'success' | 'warning' | 'danger'
/** What a chart puts together. */
export type StateGroup = 'reached' | 'waiting' | 'held' | 'trouble'

interface StateLook {
  icon: IconName
  tone: Tone
  group: StateGroup
}

/** How a state looks, and what it comes to; words are under `messages.states`. */
export const stateLooks: Record<DeliveryState, StateLook> = {
  planned: { icon: 'clock', tone: 'plain', group: 'waiting' },
  leased: { icon: 'loader-circle', tone: 'accent', group: 'waiting' },
  pending: { icon: 'user-check', tone: 'warning', group: 'waiting' },
  sent: { icon: 'send', tone: 'accent', group: 'reached' },
  delivered: { icon: 'check', tone: 'success', group: 'reached' },
  read: { icon: 'eye', tone: 'success', group: 'reached' },
  clicked: { icon: 'mouse-pointer-click', tone: 'success', group: 'reached' },
  replied: { icon: 'message-circle', tone: 'success', group: 'reached' },
  done: { icon: 'check', tone: 'success', group: 'reached' },
  refused: { icon: 'shield', tone: 'warning', group: 'held' },
  cancelled: { icon: 'x', tone: 'plain', group: 'held' },
  unknown: { icon: 'circle-help', tone: 'warning', group: 'trouble' },
  bounced: { icon: 'undo-2', tone: 'danger', group: 'trouble' },
  complained: { icon: 'megaphone', tone: 'danger', group: 'trouble' },
  failed: { icon: 'circle-x', tone: 'danger', group: 'trouble' },
  dead: { icon: 'circle-alert', tone: 'danger', group: 'trouble' },
}

export const deliveryStates = Object.keys(stateLooks) as DeliveryState[]
export const stateGroups: StateGroup[] = ['reached', 'waiting', 'held', 'trouble']

export function statesIn(group: StateGroup): DeliveryState[] {
  return deliveryStates.filter((state) => stateLooks[state].group === group)
}
