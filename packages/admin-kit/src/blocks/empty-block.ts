import type { BlockData } from '@huitou/plugin-api'

/** True for a block that has nothing to tell: no rows, or nothing but zeros and gaps. Texts never tell by themselves. */
export function isEmptyBlock(data: BlockData): boolean {
  switch (data.kind) {
    case 'text':
      return true
    case 'number':
      return !data.value
    case 'table':
      return data.rows.every((row) =>
        Object.values(row).every((value) => typeof value !== 'number' || value === 0),
      )
    case 'line':
    case 'bar':
      return data.series.every((series) => series.values.every((value) => !value))
    case 'heatmap':
      return data.measures.every((measure) => measure.values.flat().every((value) => !value))
    case 'funnel':
      return data.steps.every((step) => step.value === 0)
    case 'sankey':
      return data.links.length === 0
    case 'cohort':
      return data.rows.every((row) => row.size === 0)
  }
}
