import { definePlugin } from '@huitou/plugin-api'

export default definePlugin({
  activate(huitou, { subscriptions }) {
    const answers = huitou.views.register('page', {
      async figures() {
        const [row] = await huitou.customers.aggregate({
          measures: { customers: { count: true }, orders: { sum: 'commerce_orders' } },
        })
        return { customers: Number(row?.['customers'] ?? 0), orders: Number(row?.['orders'] ?? 0) }
      },
    })
    subscriptions.push(answers)
  },
})
