import { createHash } from 'node:crypto'
import {
  type ColumnBatch,
  type ColumnType,
  type ColumnVector,
  type JsonValue,
  type ScoreBatch,
  userError,
} from '@huitou/plugin-api'
import type { Reader } from '../points/grants.ts'
import type { PointOwner, Points, Text } from '../points/points.ts'
import type { ProfileColumn } from '../profiles/columns.ts'
import { columnName } from '../profiles/definitions.ts'
import { conditionColumns } from './condition-columns.ts'
import { assignByRules, hasRules } from './label-rules.ts'

/** A scorer, a segmenter or a condition, in the one form that the stage runs. */
export interface Scoring {
  /** `<prefix>.<id>`. */
  id: string
  owner: string
  /** Its plugin as one that reads; absent for one that may read everything. */
  reader: (() => Reader) | undefined
  title: Text
  /** Physical names of what it reads. */
  inputs: string[]
  /** Columns it writes. */
  outputs: ProfileColumn[]
  /** Cron in the brand's zone; besides it, scores follow changes of their inputs. */
  schedule: string | undefined
  /** Learns the model that `run` is handed; absent when there is nothing to learn. */
  fit: ((batch: ColumnBatch, context: ScoringContext) => Promise<JsonValue>) | undefined
  run(batch: ScoreBatch, context: ScoringContext): Promise<ColumnVector[]>
}

export interface ScoringContext {
  now: number
  signal: AbortSignal
  timeZone: string
}

/** Names a run by scorer and by what it declares, so that a changed declaration runs again. */
export function runId({ id, inputs, outputs }: Pick<Scoring, 'id' | 'inputs' | 'outputs'>): string {
  const shape = createHash('sha256')
    .update(JSON.stringify([inputs, outputs.map(({ name, type }) => [name, type])]))
    .digest('base64url')
  return `${id}#${shape.slice(0, 8)}`
}

/** All scorings, each after those whose outputs it reads. */
export function readScorings(points: Points): Scoring[] {
  return inOrder([...scorers(points), ...segmenters(points), ...conditionColumns(points, readerOf)])
}

function readerOf({ plugin, prefix, permissions }: PointOwner): Scoring['reader'] {
  return permissions && (() => ({ id: plugin, columnPrefix: prefix, permissions: permissions() }))
}

/** Being started by the clock takes a permission of its own. */
function mayTick({ permissions }: PointOwner): boolean {
  return permissions === undefined || permissions().schedule === true
}

function scorers(points: Points): Scoring[] {
  return points.scorers.list().map(({ id, owner, value }) => {
    const { fit } = value
    const outputs = value.outputs.map((output) =>
      column(columnName(owner.prefix, output.id), {
        kind: 'score',
        owner: owner.plugin,
        type: output.type,
        title: owner.text(output.title),
        description: output.description ? owner.text(output.description) : null,
        unit: output.unit ? owner.text(output.unit) : null,
      }),
    )
    return {
      id,
      owner: owner.plugin,
      reader: readerOf(owner),
      title: owner.text(value.title),
      inputs: value.inputs,
      outputs,
      schedule: mayTick(owner) ? value.schedule : undefined,
      fit: fit && (async (batch, context) => await fit(batch, context)),
      async run(batch, context) {
        const rows = batch.ids.length
        const answer = await value.run(batch, context)
        return value.outputs.map(({ id: output }) => {
          const vector = answer[output]
          const length = vector?.kind === 'number' ? vector.values.length : vector?.indexes.length
          if (!vector || length !== rows) {
            throw userError(
              'E_SCORER_ANSWER',
              `Scorer "${id}" answered ${length ?? 'no'} values of "${output}" for ${rows} customers`,
              { hint: 'This is a fault of the plugin; disable it or tell its author.' },
            )
          }
          return vector
        })
      },
    }
  })
}

function segmenters(points: Points): Scoring[] {
  return points.segmenters.list().map(({ id, owner, value }) => {
    const options = value.labels.map((label) => ({
      value: label.id,
      title: owner.text(label.title),
      ...(label.description ? { description: owner.text(label.description) } : {}),
      ...(label.color ? { color: label.color } : {}),
      ...(label.group ? { group: label.group } : {}),
    }))
    const output = column(columnName(owner.prefix, id.slice(id.indexOf('.') + 1)), {
      kind: 'label',
      owner: owner.plugin,
      type: 'label',
      title: owner.text(value.title),
      description: null,
      unit: null,
    })
    return {
      id,
      owner: owner.plugin,
      reader: readerOf(owner),
      title: owner.text(value.title),
      inputs: value.inputs,
      outputs: [{ ...output, options }],
      schedule: undefined,
      fit: undefined,
      async run(batch, context) {
        const rows = batch.ids.length
        const indexes = hasRules(value)
          ? assignByRules(value, batch, context)
          : await value.run(batch, context)
        if (indexes.length !== rows || indexes.some((index) => index >= options.length)) {
          throw userError(
            'E_SEGMENTER_ANSWER',
            `Segmenter "${id}" answered ${indexes.length} labels for ${rows} customers, or one it did not declare`,
          )
        }
        return [
          {
            kind: 'text',
            dictionary: options.map((option) => option.value),
            indexes: Int32Array.from(indexes),
          },
        ]
      },
    }
  })
}

function column(
  name: string,
  rest: {
    kind: 'score' | 'label'
    owner: string
    type: ColumnType
    title: Text
    description: Text | null
    unit: Text | null
  },
): ProfileColumn {
  return { name, logical: name, options: null, pii: false, ...rest }
}

/** Orders by dependency; scorings in a loop keep their places, and each then sees the other's values of before. */
function inOrder(scorings: Scoring[]): Scoring[] {
  const done: Scoring[] = []
  const left = [...scorings]
  while (left.length > 0) {
    const pending = new Set(left.flatMap(({ outputs }) => outputs.map(({ name }) => name)))
    const ready = left.findIndex(({ inputs, outputs }) =>
      inputs.every((input) => !pending.has(input) || outputs.some(({ name }) => name === input)),
    )
    done.push(...left.splice(Math.max(0, ready), 1))
  }
  return done
}
