import { createHash } from 'node:crypto'
import { fillJourney, type JourneyContribution, type JsonSchema, userError } from '@huitou/plugin-api'
import { compileSchema, problemsOf } from '../points/json-schema.ts'
import type { Contribution, Text } from '../points/points.ts'
import { checkGraph, mistaken, parseDefinition } from './parse-definition.ts'
import type { JourneyDefinition } from './definition.ts'
import { type CarryingChannel, withRoutes } from './template-message.ts'
import { withoutUnwanted } from './template-steps.ts'
import { inLocale, isText } from './template-texts.ts'

export type JourneyTemplate = Contribution<JourneyContribution>

/** What a journey is made of. */
export interface TemplateWorld {
  /** Where messages may go, in order. */
  channels: readonly CarryingChannel[]
  /** The brand's language. */
  locale: keyof Text
}

/** Tries every channel in turn. */
const ANY_CHANNEL = 'auto'
/** Stands in while a template is looked at that no channel carries yet. */
const NO_CHANNEL: CarryingChannel = {
  id: 'none',
  title: { en: '', 'zh-CN': '' },
  address: '',
  content: { properties: { text: {} } },
}

/** Changes whenever the plugin declares something else under the same id. */
export function templateVersion({ value: { definition, parameters } }: JourneyTemplate): string {
  return createHash('sha256')
    .update(JSON.stringify([definition, parameters]))
    .digest('hex')
    .slice(0, 12)
}

/** Schema of what the owner chooses: the template's own parameters, and the channel if it sends messages. */
export function parametersOf(
  { value: { definition, parameters = {} } }: JourneyTemplate,
  { channels, locale }: TemplateWorld,
): JsonSchema {
  const own = withDefaults(parameters, locale)
  if (!sendsMessages(definition)) return own
  const properties = own['properties'] as Record<string, JsonSchema>
  const channel: JsonSchema = {
    type: 'string',
    title: { en: 'Channel', 'zh-CN': '发送渠道' },
    oneOf: [
      {
        const: ANY_CHANNEL,
        title: {
          en: 'Every channel that is set up, until one reaches the customer',
          'zh-CN': '所有已接通的渠道，依次尝试直到触达',
        },
      },
      ...channels.map(({ id, title }) => ({ const: id, title })),
    ],
    default: ANY_CHANNEL,
    order: 900,
  }
  return { ...own, properties: { ...properties, channel } }
}

/** Defaults may be texts in both languages: a form shows one. */
function withDefaults(parameters: JsonSchema, locale: keyof Text): JsonSchema {
  const properties = (parameters['properties'] ?? {}) as Record<string, JsonSchema>
  const shown = Object.entries(properties).map(([name, property]) => [
    name,
    isText(property['default']) ? { ...property, default: property['default'][locale] } : property,
  ])
  return { type: 'object', ...parameters, properties: Object.fromEntries(shown) }
}

function sendsMessages({ nodes }: Readonly<Record<string, unknown>>): boolean {
  return Object.values((nodes ?? {}) as Record<string, Record<string, unknown>>).some(
    (node) => node['message'] !== undefined,
  )
}

/**
 * The journey that a template gives, and its parameters with defaults filled in. Throws `E_JOURNEY_PARAMETERS` for
 * values that do not fit or are missing, `E_JOURNEY` for a template that gives no journey.
 */
export function buildJourney(
  template: JourneyTemplate,
  given: Readonly<Record<string, unknown>>,
  world: TemplateWorld,
): { definition: JourneyDefinition; parameters: Record<string, unknown> } {
  const parameters = structuredClone(given) as Record<string, unknown>
  const validate = compileSchema(parametersOf(template, world), { defaults: true })
  if (!validate(parameters)) throw parameterError(template, problemsOf(validate.errors))
  return { definition: assemble(template, parameters, world), parameters }
}

function assemble(
  template: JourneyTemplate,
  parameters: Readonly<Record<string, unknown>>,
  world: TemplateWorld,
): JourneyDefinition {
  const { definition, missing } = fillJourney(template.value.definition, parameters)
  if (missing.length > 0)
    throw parameterError(
      template,
      missing.map((field) => ({ field, rule: 'required', message: 'has no value' })),
    )
  const wanted = parameters['channel'] ?? ANY_CHANNEL
  const channels = world.channels.filter(({ id }) => wanted === ANY_CHANNEL || id === wanted)
  const wantedSteps = withoutUnwanted(definition as Record<string, unknown>)
  const routed = withRoutes(wantedSteps, channels, world.locale)
  return parseDefinition(withTexts(routed, world.locale))
}

function parameterError(
  { id }: JourneyTemplate,
  problems: { field: string; rule: string; message: string }[],
) {
  const [first] = problems
  return userError(
    'E_JOURNEY_PARAMETERS',
    `Template "${id}": ${first?.field || 'the parameters'} ${first?.message ?? ''}`,
    {
      hint: 'Correct the named parameters.',
      details: { problems },
    },
  )
}

/** Texts in the brand's language. How a task may end stays in both: the language of whoever does it decides. */
function withTexts(definition: Record<string, unknown>, locale: keyof Text): unknown {
  const { nodes: given, ...around } = definition
  const nodes = (given ?? {}) as Record<string, Record<string, unknown>>
  const written = Object.entries(nodes).map(([id, node]) => {
    const { outcomeTitles, ...rest } = node
    return [id, { ...(inLocale(rest, locale) as object), ...(outcomeTitles ? { outcomeTitles } : {}) }]
  })
  return { ...(inLocale(around, locale) as object), nodes: Object.fromEntries(written) }
}

/**
 * Throws what is wrong with a template, when its plugin is enabled rather than when somebody needs it. Parameters
 * that have to be given are tried with their first example. The schema itself is not compiled, as that takes long.
 */
export function checkTemplate(template: JourneyTemplate): void {
  const { properties } = withDefaults(template.value.parameters ?? {}, 'en')
  const tried = Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, { default: preset, examples }]) => [name, preset ?? (examples as unknown[] | undefined)?.[0]],
  )
  const journey = assemble(template, Object.fromEntries(tried) as Record<string, unknown>, {
    channels: [NO_CHANNEL],
    locale: 'en',
  })
  const mistakes = checkGraph(journey)
  if (mistakes.length > 0) throw mistaken(mistakes)
}
