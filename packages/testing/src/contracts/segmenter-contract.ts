import type { SegmenterContribution } from '@huitou/plugin-api'
import { batchOf, emptyValues } from './batches.ts'
import { check, must } from './contract.ts'
import type { Check, Subject } from './contract.ts'

/** What the server relies on in every segmenter that has code. */
export function segmenterChecks(subject: Subject<SegmenterContribution>): Check[] {
  const { inputs, labels } = subject.declaration
  if (labels.every(({ rule }) => rule)) return []
  const assign = (rows: number) => subject.call<Int16Array>('assign', batchOf(subject, inputs, rows))
  const add = (title: string, run: () => Promise<void>) => check(subject, 'segmenters', title, run)
  return [
    add('gives every customer a declared label or none', async () =>
      checkLabels(await assign(25), 25, labels.length),
    ),
    add('gives nobody a label when there is nobody', async () =>
      checkLabels(await assign(0), 0, labels.length),
    ),
    add('copes with customers of whom nothing is known', async () => {
      checkLabels(await subject.call('assign', emptyValues(inputs, 3)), 3, labels.length)
    }),
    add('labels the same customers the same way twice', async () => {
      const [first, second] = [await assign(25), await assign(25)]
      must(
        first.every((label, row) => label === second[row]),
        'assign() answered differently the second time',
      )
    }),
  ]
}

function checkLabels(answer: unknown, rows: number, labels: number): void {
  must(answer instanceof Int16Array, 'assign() answered no Int16Array')
  must(answer.length === rows, `assign() answered ${answer.length} labels for ${rows} customers`)
  for (const [row, label] of answer.entries()) {
    must(
      label >= -1 && label < labels,
      `assign() gave row ${row} the label ${label}; there are ${labels}, and -1 for none`,
    )
  }
}
