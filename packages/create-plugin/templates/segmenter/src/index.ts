import { definePlugin, valueAt } from '@huitou/plugin-api'

/** Places of the labels in the manifest. */
const FIRST = 0
const REPEAT = 1
const LOYAL = 2
const NONE = -1

export default definePlugin<{ settings: { loyalFrom: number } }>({
  activate(huitou, { subscriptions }) {
    const segmenter = huitou.segmenters.register('stage', {
      assign({ ids, columns }) {
        const { commerce_orders: column } = columns
        return Int16Array.from(ids, (_, row) => {
          const orders = Number(column && valueAt(column, row)) || 0
          if (orders < 1) return NONE
          if (orders >= huitou.settings.loyalFrom) return LOYAL
          return orders > 1 ? REPEAT : FIRST
        })
      },
    })
    subscriptions.push(segmenter)
  },
})
