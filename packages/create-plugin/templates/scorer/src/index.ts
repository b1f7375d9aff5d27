import { definePlugin } from '@huitou/plugin-api'
import { createScorer } from './scorer.ts'

export interface Settings {
  freshDays: number
}

export default definePlugin<{ settings: Settings }>({
  activate(huitou, { subscriptions }) {
    subscriptions.push(
      huitou.scorers.register(
        'loyalty',
        createScorer(() => huitou.settings),
      ),
    )
  },
})
