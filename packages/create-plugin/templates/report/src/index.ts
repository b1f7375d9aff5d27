import { definePlugin } from '@huitou/plugin-api'

const DAY = 86_400_000
const DAYS_A_MONTH = 31

export default definePlugin({
  activate(huitou, { subscriptions }) {
    const report = huitou.reports.register('orders', {
      async run({ months = 12 }, { now, locale }) {
        const points = await huitou.events.series({
          events: ['order.paid'],
          by: 'month',
          from: now - Number(months) * DAYS_A_MONTH * DAY,
          before: now,
        })
        const counts = points.map(({ count }) => count)
        return {
          blocks: {
            total: { kind: 'number', type: 'integer', value: counts.reduce((sum, count) => sum + count, 0) },
            by_month: {
              kind: 'bar',
              type: 'integer',
              axis: 'time',
              categories: points.map(({ period }) => period),
              series: [{ id: 'orders', title: huitou.i18n.t('block.total', {}, locale), values: counts }],
            },
          },
        }
      },
    })
    subscriptions.push(report)
  },
})
