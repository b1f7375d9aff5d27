import { type JsonSchema, notFound, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Text } from '../points/points.ts'
import { parseDefinition } from './parse-definition.ts'
import { createJourney, getJourney, type Journey, updateJourney } from './queries.ts'
import { mergeChanges } from './template-merge.ts'
import { carryingChannels } from './template-message.ts'
import { type MissingNeed, missingNeeds, readSupplies } from './template-needs.ts'
import {
  buildJourney,
  type JourneyTemplate,
  parametersOf,
  templateVersion,
  type TemplateWorld,
} from './template.ts'

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'>

/** What a journey was made of. */
export interface JourneyOrigin {
  /** `publisher.name/id`. */
  template: string
  templateVersion: string
  parameters: Record<string, unknown>
  /** The plugin has another version of it by now. */
  newerTemplate: boolean
}

export interface ShownTemplate {
  id: string
  version: string
  owner: string
  title: Text
  description: Text | null
  icon: string | null
  group: Text | null
  expected: Text | null
  parameters: JsonSchema
  needs: NonNullable<JourneyTemplate['value']['needs']>
  missing: MissingNeed[]
  /** As it stands with every default; null where some parameter has none. */
  definition: unknown
}

/** Templates of the enabled plugins, with what each lacks here. */
export async function listTemplates(context: Context): Promise<ShownTemplate[]> {
  const templates = context.points.journeys.list()
  const world = await readWorld(context)
  const supplies = await readSupplies(context, { templates, channels: world.channels })
  return templates.map((template) => {
    const { id, owner, value } = template
    const text = (given: string | undefined) => (given === undefined ? null : owner.text(given))
    return {
      id,
      version: templateVersion(template),
      owner: owner.plugin,
      title: owner.text(value.title),
      description: text(value.description),
      icon: value.icon ?? null,
      group: text(value.group),
      expected: text(value.expected),
      parameters: parametersOf(template, world),
      needs: value.needs ?? {},
      missing: missingNeeds(template, supplies),
      definition: withDefaults(template, world),
    }
  })
}

function withDefaults(template: JourneyTemplate, world: TemplateWorld): unknown {
  try {
    return buildJourney(template, {}, world).definition
  } catch {
    return null
  }
}

async function readWorld({ database, points, brand }: Context): Promise<TemplateWorld> {
  const { locale } = await brand()
  return { channels: await carryingChannels(database.db, points), locale }
}

/** Makes a draft from a template. Its name is the template's title unless one is given. */
export async function createFromTemplate(
  context: Context,
  {
    template: id,
    parameters,
    name,
  }: { template: string; parameters: Record<string, unknown>; name?: string | undefined },
): Promise<Journey & JourneyOrigin> {
  const template = getTemplate(context, id)
  const world = await readWorld(context)
  const built = buildJourney(template, parameters, world)
  const journey = await createJourney(context, {
    name: name ?? template.owner.text(template.value.title)[world.locale],
    definition: built.definition,
  })
  const origin = {
    template: id,
    template_version: templateVersion(template),
    parameters: JSON.stringify(built.parameters),
    built: JSON.stringify(built.definition),
  }
  await context.database.db
    .insertInto('journey_origins')
    .values({ journey_id: journey.id, ...origin })
    .execute()
  return {
    ...journey,
    template: id,
    templateVersion: origin.template_version,
    parameters: built.parameters,
    newerTemplate: false,
  }
}

/**
 * Builds the draft anew, with the template as the plugin has it now. What somebody changed in the draft by hand stays
 * wherever the template gives the same as before.
 */
export async function changeParameters(
  context: Context,
  id: string,
  parameters: Record<string, unknown>,
): Promise<Journey & JourneyOrigin> {
  const { template, built, draft } = await rebuild(context, id, parameters)
  const journey = await updateJourney(context, id, { definition: draft })
  const templateVersionNow = templateVersion(template)
  await context.database.db
    .updateTable('journey_origins')
    .set({
      template_version: templateVersionNow,
      parameters: JSON.stringify(built.parameters),
      built: JSON.stringify(built.definition),
    })
    .where('journey_id', '=', id)
    .execute()
  return {
    ...journey,
    template: template.id,
    templateVersion: templateVersionNow,
    parameters: built.parameters,
    newerTemplate: false,
  }
}

/** The draft that `changeParameters` would make; nothing is stored. */
export async function previewParameters(
  context: Context,
  id: string,
  parameters: Record<string, unknown>,
): Promise<{ definition: unknown }> {
  const { draft } = await rebuild(context, id, parameters)
  return { definition: draft }
}

async function rebuild(context: Context, id: string, parameters: Record<string, unknown>) {
  const { db } = context.database
  const { draft } = await getJourney(db, id)
  const origin = await db
    .selectFrom('journey_origins')
    .selectAll()
    .where('journey_id', '=', id)
    .executeTakeFirst()
  if (!origin)
    throw userError('E_NO_TEMPLATE', `Journey "${id}" was not made from a template`, {
      status: 409,
      hint: 'Change its steps instead.',
    })
  const template = getTemplate(context, origin.template)
  const built = buildJourney(template, parameters, await readWorld(context))
  const merged = mergeChanges(JSON.parse(origin.built), draft, built.definition)
  return { template, built, draft: sound(merged) ?? built.definition }
}

/** Two changes at one place may make nothing sound of it: then the template counts. */
function sound(definition: unknown): unknown {
  try {
    return parseDefinition(definition)
  } catch {
    return undefined
  }
}

/** One journey, with what it was made of if that is a template. */
export async function getWithOrigin(
  { database, points }: Pick<Context, 'database' | 'points'>,
  id: string,
): Promise<Journey & Partial<JourneyOrigin>> {
  const journey = await getJourney(database.db, id)
  const row = await database.db
    .selectFrom('journey_origins')
    .selectAll()
    .where('journey_id', '=', id)
    .executeTakeFirst()
  return { ...journey, ...(row ? toOrigin(points, row) : {}) }
}

/** Journeys made from a template, oldest first. */
export async function listFromTemplate(
  { database, points }: Pick<Context, 'database' | 'points'>,
  template: string,
): Promise<(Pick<Journey, 'id' | 'name' | 'state' | 'publishedVersion'> & JourneyOrigin)[]> {
  const rows = await database.db
    .selectFrom('journey_origins')
    .innerJoin('journeys', 'journeys.id', 'journey_origins.journey_id')
    .selectAll('journey_origins')
    .select(['journeys.name', 'journeys.state', 'journeys.published_version as publishedVersion'])
    .where('template', '=', template)
    .orderBy('journeys.created_at')
    .orderBy('journeys.id')
    .execute()
  return rows.map(({ name, state, publishedVersion, ...row }) => ({
    id: row.journey_id,
    name,
    state,
    publishedVersion,
    ...toOrigin(points, row),
  }))
}

function toOrigin(
  points: Context['points'],
  row: { template: string; template_version: string; parameters: string },
): JourneyOrigin {
  const template = points.journeys.find(row.template)
  return {
    template: row.template,
    templateVersion: row.template_version,
    parameters: JSON.parse(row.parameters) as Record<string, unknown>,
    newerTemplate: template !== undefined && templateVersion(template) !== row.template_version,
  }
}

function getTemplate({ points }: Context, id: string): JourneyTemplate {
  const template = points.journeys.find(id)
  if (!template) throw notFound('Journey template', id)
  return template
}
