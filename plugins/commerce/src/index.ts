import { definePlugin } from '@huitou/plugin-api'
import { repurchaseReport } from './reports/repurchase.ts'
import { salesReport } from './reports/sales.ts'
import { createOrdersSource } from './source.ts'

export default definePlugin({
  activate(huitou, { subscriptions }) {
    const { currency, timeZone } = huitou.brand
    const source = createOrdersSource({ currency, timeZone }, () => huitou.settings)
    subscriptions.push(
      huitou.sources.register('orders', source),
      huitou.reports.register('sales', salesReport(huitou)),
      huitou.reports.register('repurchase', repurchaseReport(huitou)),
    )
  },
})
