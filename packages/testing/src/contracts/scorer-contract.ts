import type { ColumnVector, OutputColumn, ScorerContribution } from '@huitou/plugin-api'
import { toWireJson } from '../wire-json.ts'
import { batchOf, emptyValues } from './batches.ts'
import { check, must } from './contract.ts'
import type { Check, Subject } from './contract.ts'

type Scores = Record<string, ColumnVector>

/** What the server relies on in every scorer. */
export function scorerChecks(subject: Subject<ScorerContribution>): Check[] {
  const { declaration } = subject
  const { inputs, outputs } = declaration
  const model = async () =>
    declaration.fits ? { model: await subject.call('fit', batchOf(subject, inputs, 50)) } : {}
  const score = async (rows: number) =>
    await subject.call<Scores>('score', { ...batchOf(subject, inputs, rows), ...(await model()) })
  const add = (title: string, run: () => Promise<void>) => check(subject, 'scorers', title, run)
  return [
    add('fills the declared columns and no others, row for row', async () => {
      const scores = await score(25)
      must(typeof scores === 'object' && scores !== null, 'score() answered no columns')
      const names = Object.keys(scores).toSorted().join(', ')
      const declared = outputs
        .map(({ id }) => id)
        .toSorted()
        .join(', ')
      must(names === declared, `score() answered the columns ${names || 'none'}; declared are ${declared}`)
      for (const output of outputs) checkColumn(output, scores[output.id]!, 25)
    }),
    add('answers nothing for nobody', async () => {
      const scores = await score(0)
      for (const { id } of outputs)
        must(lengthOf(scores[id]) === 0, `"${id}" has rows although there are no customers`)
    }),
    add('copes with customers of whom nothing is known', async () => {
      const scores = await subject.call<Scores>('score', { ...emptyValues(inputs, 3), ...(await model()) })
      for (const output of outputs) checkColumn(output, scores[output.id], 3)
    }),
    add('scores the same customers the same way twice', async () => {
      must(
        toWireJson(await score(25)) === toWireJson(await score(25)),
        'score() answered differently the second time',
      )
    }),
    ...(declaration.fits
      ? [
          add('learns a model that is JSON', async () => {
            const learnt = await subject.call('fit', batchOf(subject, inputs, 50))
            const text = JSON.stringify(learnt)
            must(
              text !== undefined && text.length <= 1_000_000,
              'fit() answered no JSON, or more than 1 MB of it',
            )
            must(toWireJson(learnt) === toWireJson(JSON.parse(text)), 'fit() answered what JSON cannot hold')
          }),
        ]
      : []),
  ]
}

function lengthOf(vector: ColumnVector | undefined): number | undefined {
  return vector?.kind === 'number' ? vector.values.length : vector?.indexes.length
}

function checkColumn(
  { id, type, range }: OutputColumn,
  vector: ColumnVector | undefined,
  rows: number,
): void {
  must(vector, `"${id}" is missing`)
  const kind = type === 'text' || type === 'label' ? 'text' : 'number'
  must(vector.kind === kind, `"${id}" is a ${vector.kind} vector; the type ${type} needs a ${kind} vector`)
  must(lengthOf(vector) === rows, `"${id}" has ${lengthOf(vector)} rows for ${rows} customers`)
  if (vector.kind === 'text') {
    const wrong = vector.indexes.find((index) => index < -1 || index >= vector.dictionary.length)
    must(wrong === undefined, `"${id}" points at text ${wrong}, which is not in its dictionary`)
    return
  }
  must(vector.values instanceof Float64Array, `"${id}" holds no Float64Array`)
  for (const [row, value] of vector.values.entries()) {
    if (Number.isNaN(value)) continue
    must(Number.isFinite(value), `"${id}" is ${value} in row ${row}`)
    const whole = ['integer', 'money', 'time'].includes(type)
    must(!whole || Number.isInteger(value), `"${id}" is ${value} in row ${row}, which is no whole number`)
    must(
      type !== 'boolean' || value === 0 || value === 1,
      `"${id}" is ${value} in row ${row}, neither 0 nor 1`,
    )
    if (range) {
      must(
        value >= range[0] && value <= range[1],
        `"${id}" is ${value} in row ${row}, outside ${range.join(' to ')}`,
      )
    }
  }
}
