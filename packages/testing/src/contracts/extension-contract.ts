import type { ExtensionContribution, ExtensionPointContribution } from '@huitou/plugin-api'
import { check, must } from './contract.ts'
import type { Check, Subject } from './contract.ts'
import { fitsSchema } from './fits-schema.ts'
import { sampleOf } from './schema-samples.ts'

/** What the plugin that defines `point` relies on in a contribution to it. */
export function extensionChecks(
  subject: Subject<ExtensionContribution>,
  point: ExtensionPointContribution | undefined,
): Check[] {
  const add = (title: string, run: () => Promise<void>) => check(subject, 'extensions', title, run)
  if (!point) {
    const { point: wanted } = subject.declaration
    return [
      add(`is for the point ${wanted}`, async () => {
        must(false, `nothing here defines ${wanted}: name the folder of the plugin that does with --with`)
      }),
    ]
  }
  const { point: _, id: _id, ...data } = subject.declaration
  return [
    add('declares what the point asks for', async () => fitsSchema('it declares', data, point.schema)),
    ...Object.entries(point.methods ?? {}).map(([name, { input, output, optional }]) =>
      add(`answers ${name} as the point wants it`, async () => {
        try {
          for (const given of subject.inputs(() => sampleOf(input))) {
            fitsSchema(`${name}() answered`, await subject.call(name, given), output)
          }
        } catch (error) {
          if (!optional || (error as { code?: string }).code !== 'E_NOT_IMPLEMENTED') throw error
        }
      }),
    ),
  ]
}
