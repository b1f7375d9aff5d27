import { definePlugin } from '@huitou/plugin-api'

export default definePlugin<{ settings: { price: number } }>({
  activate(huitou, { subscriptions }) {
    const silk = huitou.extensions.register('silk', {
      quote: ({ items }: { items: number }) => ({ minorUnits: items * huitou.settings.price }),
    })
    subscriptions.push(silk)
  },
})
