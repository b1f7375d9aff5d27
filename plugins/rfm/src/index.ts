import { definePlugin } from '@huitou/plugin-api'
import { createReport } from './report/report.ts'
import { createScorer, createSegmenter } from './scorer.ts'

export default definePlugin({
  activate(huitou, { subscriptions }) {
    subscriptions.push(
      huitou.scorers.register('rfm', createScorer(huitou)),
      huitou.segmenters.register('segment', createSegmenter(huitou)),
      huitou.reports.register('rfm', createReport(huitou)),
    )
  },
})
