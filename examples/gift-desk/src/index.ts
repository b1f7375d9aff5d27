import { definePlugin } from '@huitou/plugin-api'
import type { Texts } from '@huitou/plugin-api'

/** What another plugin declares to offer a wrapping; its title comes in both languages. */
interface Wrapping {
  title: Texts
  colour: 'red' | 'gold' | 'green'
}

export default definePlugin({
  activate(huitou, { subscriptions }) {
    const wrappings = huitou.extensionPoint<Wrapping>('wrapping/v1')
    const compare = huitou.commands.register('compare', {
      /** Every wrapping on offer, the cheapest first. One whose plugin fails is left out. */
      async run({ items }: { items: number }) {
        const offers = await Promise.all(
          (await wrappings.list()).map(async ({ id, data }) => {
            try {
              const { minorUnits } = (await wrappings.call(id, 'quote', { items })) as { minorUnits: number }
              return [{ id, ...data, minorUnits }]
            } catch (error) {
              huitou.log.warn('A wrapping gave no price', { id, error: String(error) })
              return []
            }
          }),
        )
        return offers.flat().toSorted((a, b) => a.minorUnits - b.minorUnits)
      },
    })
    subscriptions.push(compare)
  },
})
