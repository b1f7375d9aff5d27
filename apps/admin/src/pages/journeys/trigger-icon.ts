import type { Trigger } from '@huitou/admin-kit/api/journeys.ts'

/** Icon of what a journey begins with. */
export function triggerIcon(trigger: Trigger): string {
  if (trigger.type === 'segment') return 'blend'
  if (trigger.type === 'date') return 'cake'
  if (trigger.type === 'schedule') return trigger.festival === undefined ? 'calendar' : 'gift'
  if (trigger.event.startsWith('cart.')) return 'shopping-cart'
  if (trigger.event.startsWith('order.')) return 'shopping-bag'
  return 'mouse-pointer-click'
}
