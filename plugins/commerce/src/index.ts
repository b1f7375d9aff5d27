import { definePlugin } from '@huitou/plugin-api'
import { repurchaseReport } from './reports/repurchase.ts'
import { salesReport } from './reports/sales.ts'
import { createOrdersSource } from './source.ts'
import { toLocale } from './texts.ts'

export default definePlugin({
  activate(huitou, { subscriptions }) {
    const { currency, timeZone, locale } = huitou.brand
    const source = createOrdersSource({ currency, timeZone, locale: toLocale(locale) }, () => huitou.settings)
    subscriptions.push(
      huitou.sources.register('orders', source),
      huitou.reports.register('sales', salesReport(huitou)),
      huitou.reports.register('repurchase', repurchaseReport(huitou)),
    )
  },
})
