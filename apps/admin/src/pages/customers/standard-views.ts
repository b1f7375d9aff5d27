import type { Rule } from '../segments/rule-model.ts'

/** Views that every brand wants, as far as the columns they need exist. */
export const standardViews: { id: string; needs: string[]; rule: Rule | undefined }[] = [
  { id: 'all', needs: [], rule: undefined },
  {
    id: 'newToday',
    needs: ['first_seen_at'],
    rule: { all: [{ column: 'first_seen_at', op: 'within_days', value: 1 }] },
  },
  {
    id: 'orderedIn7',
    needs: ['commerce_last_order_at'],
    rule: { all: [{ column: 'commerce_last_order_at', op: 'within_days', value: 7 }] },
  },
  {
    id: 'orderedTwice',
    needs: ['commerce_orders'],
    rule: { all: [{ column: 'commerce_orders', op: 'gte', value: 2 }] },
  },
  {
    id: 'noOrders',
    needs: ['commerce_last_order_at'],
    rule: { all: [{ column: 'commerce_last_order_at', op: 'is_not_set' }] },
  },
  {
    id: 'silent',
    needs: ['commerce_last_order_at'],
    rule: { all: [{ column: 'commerce_last_order_at', op: 'before_days', value: 180 }] },
  },
]
