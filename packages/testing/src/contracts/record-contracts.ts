import type { CollectionContribution, CommandContribution, FieldProblem } from '@huitou/plugin-api'
import { toWireJson } from '../wire-json.ts'
import { check, must, unlessMissing } from './contract.ts'
import type { Check, Subject } from './contract.ts'
import { fitsSchema } from './fits-schema.ts'
import { sampleOf } from './schema-samples.ts'

/** What the server relies on in every command. */
export function commandChecks(subject: Subject<CommandContribution>): Check[] {
  const { input } = subject.declaration
  return [
    check(subject, 'commands', 'runs with what its form asks for', async () => {
      for (const given of subject.inputs(() => sampleOf(input) ?? {})) {
        fitsSchema('the sample input is', given, input)
        toWireJson(await subject.call('run', given))
      }
    }),
  ]
}

/** What the server relies on in the hooks of every collection. */
export function collectionChecks(subject: Subject<CollectionContribution>): Check[] {
  const { schema } = subject.declaration
  const records = () => subject.inputs(() => sampleOf(schema))
  const fields = Object.keys((schema['properties'] ?? {}) as object)
  const stored = (data: unknown) => ({ id: 'r1', data, version: 1, createdAt: 0, updatedAt: 0 })
  const add = (title: string, run: () => Promise<void>) => check(subject, 'collections', title, run)
  return [
    add('lets a record pass that its schema allows', async () => {
      for (const data of records()) {
        fitsSchema('the sample record is', data, schema)
        await unlessMissing(async () => {
          const problems = await subject.call<FieldProblem[]>('validate', { kind: 'insert', data })
          must(Array.isArray(problems), 'validate() answered no list')
          must(
            problems.length === 0,
            `validate() refused it: ${problems.map(({ message }) => message).join(', ')}`,
          )
        })
      }
    }),
    add('names a field in each problem it finds', async () => {
      await unlessMissing(async () => {
        const data = sampleOf(schema, { onlyRequired: true })
        const change = { kind: 'update', data, previous: stored(records()[0]) }
        for (const { field, message } of await subject.call<FieldProblem[]>('validate', change)) {
          must(
            fields.includes(field) && message,
            `validate() found a problem in "${field}", which is no field`,
          )
        }
      })
    }),
    add('hears of every kind of change', async () => {
      await unlessMissing(async () => {
        for (const data of records()) {
          await subject.call('afterChange', { kind: 'insert', record: stored(data) })
          await subject.call('afterChange', { kind: 'update', record: stored(data), previous: stored(data) })
          await subject.call('afterChange', { kind: 'delete', previous: stored(data) })
        }
      })
    }),
  ]
}
