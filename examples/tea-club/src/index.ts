import { definePlugin, toNumberVector, valueAt } from '@huitou/plugin-api'

/** A tasting of the last ninety days warms as much again. */
const RECENT_FACTOR = 2
const FRIEND_FROM = 20
const MASTER_FROM = 60

export default definePlugin({
  activate(huitou, { subscriptions }) {
    const scorer = huitou.scorers.register('warmth', {
      score({ ids, columns }) {
        const points = Number(huitou.settings['pointsPerTasting'])
        const read = (name: string, row: number) => Number(columns[name] && valueAt(columns[name], row)) || 0
        const warmth = Array.from(ids, (_, row) =>
          Math.min(
            100,
            points *
              (read('tea_club_tastings', row) + (RECENT_FACTOR - 1) * read('tea_club_tastings_90d', row)),
          ),
        )
        return { warmth: toNumberVector(warmth) }
      },
    })
    const segmenter = huitou.segmenters.register('level', {
      assign({ ids, columns }) {
        const { tea_club_warmth: warmth } = columns
        return Int16Array.from(ids, (_, row) => {
          const value = warmth && valueAt(warmth, row)
          if (typeof value !== 'number' || value === 0) return -1
          return value >= MASTER_FROM ? 2 : value >= FRIEND_FROM ? 1 : 0
        })
      },
    })
    subscriptions.push(scorer, segmenter)
  },
})
