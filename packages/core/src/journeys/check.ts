import type { JsonSchema } from '@huitou/plugin-api'
import { Cron } from 'croner'
import { checkContent } from '../content/check-content.ts'
import type { Template } from '../content/templates.ts'
import type { Points } from '../points/points.ts'
import { checkRule, type RuleScope } from '../segments/compile.ts'
import type { Rule } from '../segments/rule.ts'
import { isFestival } from './calendar.ts'
import type { JourneyDefinition, JourneyNode } from './definition.ts'
import { checkGraph, type JourneyMistake } from './parse-definition.ts'
import { LOCALES_KEY } from './template-texts.ts'
import { variablesIn } from './variables.ts'

type SendNode = Extract<JourneyNode, { type: 'send' }>

interface World {
  scope: RuleScope
  points: Pick<Points, 'channels' | 'actions' | 'conditions'>
  /** Templates that the definition names, as far as there are such. */
  templates?: ReadonlyMap<string, Template>
}

/** Everything that keeps a journey from being published; empty if nothing does. */
export function checkDefinition(definition: JourneyDefinition, world: World): JourneyMistake[] {
  return [
    ...checkGraph(definition),
    ...checkTrigger(definition, world),
    ...checkRules(definition, world),
    ...Object.entries(definition.nodes).flatMap(([id, node]) => checkNode(definition, { id, node }, world)),
  ]
}

function checkTrigger({ trigger }: JourneyDefinition, { scope }: World): JourneyMistake[] {
  if (trigger.type === 'segment' && !scope.segments.has(trigger.segment))
    return [
      {
        code: 'unknown_segment',
        path: 'trigger.segment',
        message: `There is no segment "${trigger.segment}"`,
      },
    ]
  if (trigger.type === 'date' && !scope.columns.has(trigger.column))
    return [
      { code: 'unknown_column', path: 'trigger.column', message: `There is no column "${trigger.column}"` },
    ]
  if (trigger.type === 'schedule') {
    const problem = scheduleProblem(trigger)
    if (problem) return [{ code: 'bad_schedule', path: 'trigger', message: problem }]
  }
  return []
}

function scheduleProblem({ cron, festival }: { cron?: string | undefined; festival?: string | undefined }) {
  if ((cron === undefined) === (festival === undefined)) return 'Give either a schedule or a festival'
  if (festival !== undefined)
    return isFestival(festival) ? undefined : `"${festival}" is no festival that is known`
  try {
    return new Cron(cron as string, { mode: '5-part' }).nextRun() ? undefined : `"${cron}" never comes`
  } catch (error) {
    return `"${cron}" is no schedule: ${error instanceof Error ? error.message : String(error)}`
  }
}

function checkRules({ filter, exits, nodes }: JourneyDefinition, { scope }: World): JourneyMistake[] {
  const rules: [string, Rule][] = filter ? [['filter', filter as Rule]] : []
  for (const [id, node] of Object.entries(nodes))
    if (node.type === 'branch')
      node.cases.forEach(
        ({ rule }, index) => rule && rules.push([`nodes.${id}.cases.${index}.rule`, rule as Rule]),
      )
  const mistakes = rules.flatMap(([path, rule]): JourneyMistake[] => {
    try {
      checkRule(rule, scope)
      return []
    } catch (error) {
      return [{ code: 'bad_rule', path, message: error instanceof Error ? error.message : String(error) }]
    }
  })
  exits.forEach((exit, index) => {
    if ('segment' in exit && !scope.segments.has(exit.segment))
      mistakes.push({
        code: 'unknown_segment',
        path: `exits.${index}`,
        message: `There is no segment "${exit.segment}"`,
      })
  })
  return mistakes
}

function checkNode(
  definition: JourneyDefinition,
  { id, node }: { id: string; node: JourneyNode },
  world: World,
): JourneyMistake[] {
  const path = `nodes.${id}`
  const mistakes: JourneyMistake[] = []
  if (node.type === 'branch')
    node.cases.forEach((each, index) => {
      if (each.rule === undefined && each.where === undefined && each.condition === undefined)
        mistakes.push({
          code: 'no_case',
          path: `${path}.cases.${index}`,
          message: 'A case needs a rule, a property or a condition',
        })
      if (each.condition && !world.points.conditions.find(each.condition.id))
        mistakes.push({
          code: 'unknown_condition',
          path: `${path}.cases.${index}.condition`,
          message: `There is no condition "${each.condition.id}"; its plugin may be disabled`,
        })
    })
  if (node.type === 'send') {
    for (const route of [node, ...node.alternatives]) {
      if (!world.points.channels.find(route.channel))
        mistakes.push({
          code: 'unknown_channel',
          path: `${path}.channel`,
          message: `There is no channel "${route.channel}"; its plugin may be disabled`,
        })
      mistakes.push(...checkRoute(definition, { path, route }, world))
    }
  }
  if (node.type === 'action') {
    if (!world.points.actions.find(node.action))
      mistakes.push({
        code: 'unknown_action',
        path: `${path}.action`,
        message: `There is no action "${node.action}"; its plugin may be disabled`,
      })
    mistakes.push(...checkTexts(definition, { path: `${path}.input`, content: node.input }, world))
  }
  return mistakes
}

/** What a route says: its own words, or every language of its template with its own words in between. */
function checkRoute(
  definition: JourneyDefinition,
  { path, route }: { path: string; route: Pick<SendNode, 'channel' | 'template' | 'content'> },
  world: World,
): JourneyMistake[] {
  const schema = world.points.channels.find(route.channel)?.value.content
  const { [LOCALES_KEY]: locales, ...content } = route.content as Record<string, unknown>
  const own = Object.values((locales ?? {}) as Record<string, object>).map((words) => ({
    ...content,
    ...words,
  }))
  if (route.template === undefined)
    return uniqueMistakes(
      [content, ...own].flatMap((words) =>
        checkTexts(definition, { path: `${path}.content`, content: words, schema }, world),
      ),
    )
  const template = world.templates?.get(route.template)
  if (!template)
    return [
      {
        code: 'unknown_template',
        path: `${path}.template`,
        message: `There is no template "${route.template}"`,
      },
    ]
  return uniqueMistakes(
    Object.values(template.variants).flatMap((words) =>
      checkTexts(definition, { path: `${path}.content`, content: { ...words, ...content }, schema }, world),
    ),
  )
}

/** Mistakes that whoever reaches the step would be refused for. */
function checkTexts(
  { trigger, nodes }: JourneyDefinition,
  { path, content, schema }: { path: string; content: unknown; schema?: JsonSchema | undefined },
  { scope }: World,
): JourneyMistake[] {
  const { mistakes } = checkContent(content as Record<string, unknown>, {
    schema,
    known: { hasColumn: (name) => scope.columns.has(name), hasEvent: trigger.type === 'event' },
  })
  const unknown = variablesIn(content).flatMap(({ path: variable, optional }): JourneyMistake[] => {
    const [root, step = ''] = variable.split('.')
    return root !== 'steps' || optional || nodes[step]?.type === 'action'
      ? []
      : [{ code: 'unknown_step', path, message: `{{${variable}}}: there is no action "${step}"` }]
  })
  const texts = mistakes.map(({ code, field, line, message }): JourneyMistake => ({
    code: code === 'unknown_variable' || code === 'no_event' ? 'missing_variable' : 'bad_content',
    path: `${path}.${field}`,
    message,
    line,
  }))
  return [...texts, ...unknown]
}

function uniqueMistakes(mistakes: readonly JourneyMistake[]): JourneyMistake[] {
  return [...new Map(mistakes.map((mistake) => [JSON.stringify(mistake), mistake])).values()]
}
