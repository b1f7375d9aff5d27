import type { ViewContribution } from '@huitou/plugin-api'
import { toWireJson } from '../wire-json.ts'
import { check } from './contract.ts'
import type { Check, Subject } from './contract.ts'
import { fitsSchema } from './fits-schema.ts'
import { sampleOf } from './schema-samples.ts'

/** What the server relies on in the code behind a page: its samples are given as `views.<id>.<call>`. */
export function viewChecks(subject: Subject<ViewContribution>): Check[] {
  return Object.entries(subject.declaration.calls ?? {}).map(([name, { input, output }]) =>
    check(subject, 'views', `answers ${name} with what it declares`, async () => {
      const given = subject.samples.inputs?.[`views.${subject.id}.${name}`] ?? [input && sampleOf(input)]
      for (const one of structuredClone(given)) {
        if (input) fitsSchema('the sample input is', one, input)
        const answer = (await subject.call(name, one)) ?? null
        toWireJson(answer)
        fitsSchema(`${name}() answered`, answer, output)
      }
    }),
  )
}
