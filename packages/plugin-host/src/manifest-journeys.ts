import { journeyPlaceholders } from '@huitou/plugin-api'
import type { JourneyContribution } from '@huitou/plugin-api'
import type { Finding } from './manifest-errors.ts'

/** Findings, texts included, for placeholders of journey templates that no parameter fills, and for parameters that nothing uses. */
export function checkJourneys(
  journeys: readonly Pick<JourneyContribution, 'definition' | 'parameters'>[],
): Finding[] {
  return journeys.flatMap(({ definition, parameters }, index) => {
    const known = Object.keys((parameters?.['properties'] ?? {}) as object)
    const path = `contributes.journeys[${index}]`
    const placeholders = journeyPlaceholders(definition, `${path}.definition`)
    const used = new Set(placeholders.flatMap(({ names }) => names))
    return [
      ...placeholders.flatMap(({ text, path: at, names }): Finding[] => {
        if (names.length === 0) return [{ path: at, value: text, fix: 'write ${name}, ${a - b} or ${-name}' }]
        return names
          .filter((name) => !known.includes(name))
          .map((name) => ({
            path: at,
            value: name,
            fix: `add "${name}" to the parameters${known.length > 0 ? `; there are ${known.join(', ')}` : ''}`,
          }))
      }),
      ...known
        .filter((name) => !used.has(name))
        .map((name) => ({
          path: `${path}.parameters.properties.${name}`,
          value: name,
          fix: `write \${${name}} somewhere in the definition, or remove the parameter`,
        })),
    ]
  })
}
