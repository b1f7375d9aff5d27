import type {
  ActionContribution,
  ConditionContribution,
  GateContribution,
  GateVerdict,
} from '@huitou/plugin-api'
import { toWireJson } from '../wire-json.ts'
import { batchOf, emptyValues } from './batches.ts'
import { check, must } from './contract.ts'
import type { Check, Subject } from './contract.ts'
import { fitsSchema } from './fits-schema.ts'
import { sampleOf } from './schema-samples.ts'

/** What the server relies on in every action. */
export function actionChecks(subject: Subject<ActionContribution>): Check[] {
  const { declaration } = subject
  const inputs = () => subject.inputs(() => sampleOf(declaration.input) ?? {})
  const add = (title: string, run: () => Promise<void>) => check(subject, 'actions', title, run)
  return [
    add('answers what it declares', async () => {
      for (const input of inputs())
        fitsSchema('run() answered', await subject.call('run', input), declaration.output)
    }),
    add('answers the same for the same key', async () => {
      if (!declaration.idempotent) return
      const [first, second] = [await subject.call('run', inputs()[0]), await subject.call('run', inputs()[0])]
      must(toWireJson(first) === toWireJson(second), 'run() answered differently the second time')
    }),
  ]
}

/** What the server relies on in every condition. */
export function conditionChecks(subject: Subject<ConditionContribution>): Check[] {
  const { inputs, options } = subject.declaration
  const everyOptions = () => subject.inputs(() => sampleOf(options) ?? {})
  const test = async (batch: object, rows: number) => {
    for (const chosen of everyOptions()) {
      const answer = await subject.call('test', { ...batch, options: chosen })
      must(answer instanceof Uint8Array, 'test() answered no Uint8Array')
      must(answer.length === rows, `test() answered ${answer.length} rows for ${rows} customers`)
      must(
        answer.every((value) => value <= 1),
        'test() answered something other than 0 and 1',
      )
    }
  }
  const add = (title: string, run: () => Promise<void>) => check(subject, 'conditions', title, run)
  return [
    add('says yes or no of every customer', () => test(batchOf(subject, inputs, 25), 25)),
    // What it says is kept as a column: it may not depend on when it is asked.
    add('says the same of the same customers when it is asked again', async () => {
      const batch = batchOf(subject, inputs, 25)
      for (const chosen of everyOptions()) {
        const ask = () => subject.call<Uint8Array>('test', { ...structuredClone(batch), options: chosen })
        const [first, again] = [await ask(), await ask()]
        must(
          first.every((value, row) => value === again[row]),
          'test() said something else when asked again',
        )
      }
    }),
    add('says nothing of nobody', () => test(batchOf(subject, inputs, 0), 0)),
    add('copes with customers of whom nothing is known', () => test(emptyValues(inputs, 3), 3)),
  ]
}

/** What the server relies on in every gate. */
export function gateChecks(subject: Subject<GateContribution>): Check[] {
  const { inputs = [], channels = [] } = subject.declaration
  const delivery = (value: number | null) => ({
    key: 'sample',
    customerId: 1,
    channel: channels[0] ?? 'huitou.sms/sms',
    columns: Object.fromEntries(inputs.map((input) => [input, value])),
  })
  return [
    check(subject, 'gates', 'lets a message pass, or says why not', async () => {
      for (const sample of subject.inputs<object>(() => delivery(1)).concat(delivery(null))) {
        const verdict = await subject.call<GateVerdict>('allow', sample)
        must(typeof verdict?.allow === 'boolean', 'allow() answered neither yes nor no')
        must(verdict.allow || verdict.reason.length > 0, 'allow() refused without a reason')
      }
    }),
  ]
}
