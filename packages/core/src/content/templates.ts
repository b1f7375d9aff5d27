import { notFound, userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { closestLocale } from './here.ts'

/** A message that journeys refer to, in every language that customers read. */
export interface Template {
  id: string
  name: string
  channel: string
  defaultLocale: string
  locales: string[]
  variants: Record<string, Record<string, unknown>>
  version: number
  origin: string | null
  createdAt: number
  updatedAt: number
}

export interface TemplateInput {
  name: string
  channel: string
  variants: Record<string, Record<string, unknown>>
  defaultLocale: string
  origin?: string | null
}

export interface TemplateUse {
  journeyId: string
  name: string
  live: boolean
}

type Context = Pick<CoreContext, 'database' | 'clock'>

export async function listTemplates(db: Db): Promise<(Template & { usedBy: TemplateUse[] })[]> {
  const templates = await readTemplates(db)
  const uses = await templateUses(db)
  return [...templates.values()]
    .toSorted((a, b) => b.updatedAt - a.updatedAt)
    .map((template) => ({ ...template, usedBy: uses.get(template.id) ?? [] }))
}

export async function getTemplate(db: Db | Tx, id: string): Promise<Template> {
  const template = (await readTemplates(db, [id])).get(id)
  if (!template) throw notFound('Template', id)
  return template
}

/** Templates by id: all of them, or those asked for. Ids that nobody knows are left out. */
export async function readTemplates(db: Db | Tx, ids?: readonly string[]): Promise<Map<string, Template>> {
  if (ids?.length === 0) return new Map()
  const rows = await db
    .selectFrom('content_templates as t')
    .innerJoin('content_template_versions as v', (join) =>
      join.onRef('v.template_id', '=', 't.id').onRef('v.version', '=', 't.version'),
    )
    .$if(ids !== undefined, (query) => query.where('t.id', 'in', [...(ids ?? [])]))
    .select(['t.id', 't.name', 't.channel', 't.default_locale', 't.version', 't.origin'])
    .select(['t.created_at', 't.updated_at', 'v.variants'])
    .execute()
  return new Map(
    rows.map((row) => {
      const variants = JSON.parse(row.variants) as Template['variants']
      return [
        row.id,
        {
          id: row.id,
          name: row.name,
          channel: row.channel,
          defaultLocale: row.default_locale,
          locales: Object.keys(variants),
          variants,
          version: row.version,
          origin: row.origin,
          createdAt: row.created_at,
          updatedAt: row.updated_at,
        },
      ]
    }),
  )
}

export async function createTemplate(
  { database, clock }: Context,
  input: TemplateInput,
  by: string,
): Promise<Template> {
  const now = clock.now()
  const id = uuid()
  checkLocales(input)
  await transact(database.db, async (tx) => {
    await tx
      .insertInto('content_templates')
      .values({
        id,
        name: input.name,
        channel: input.channel,
        default_locale: input.defaultLocale,
        version: 1,
        origin: input.origin ?? null,
        created_at: now,
        updated_at: now,
      })
      .execute()
    await addVersion(tx, { id, version: 1, input, now, by })
  })
  return await getTemplate(database.db, id)
}

/**
 * Writes a new version; those before are kept. What goes out from now on is written from it, also messages that were
 * planned before: a mistake that was corrected reaches nobody any more.
 */
export async function updateTemplate(
  { database, clock }: Context,
  id: string,
  { input, by }: { input: TemplateInput; by: string },
): Promise<Template> {
  const now = clock.now()
  checkLocales(input)
  await transact(database.db, async (tx) => {
    const before = await getTemplate(tx, id)
    if (before.channel !== input.channel && (await templateUses(tx)).get(id)?.length)
      throw userError('E_TEMPLATE_IN_USE', `Template "${before.name}" is used on its channel by journeys`, {
        status: 409,
        hint: 'Make another template for the other channel.',
      })
    const version = before.version + 1
    await addVersion(tx, { id, version, input, now, by })
    await tx
      .updateTable('content_templates')
      .set({
        name: input.name,
        channel: input.channel,
        default_locale: input.defaultLocale,
        version,
        updated_at: now,
      })
      .where('id', '=', id)
      .execute()
  })
  return await getTemplate(database.db, id)
}

export async function deleteTemplate({ database }: Context, id: string): Promise<void> {
  await transact(database.db, async (tx) => {
    const template = await getTemplate(tx, id)
    const uses = (await templateUses(tx)).get(id) ?? []
    if (uses.length > 0)
      throw userError(
        'E_TEMPLATE_IN_USE',
        `Template "${template.name}" is used by "${uses[0]?.name ?? ''}"`,
        {
          status: 409,
          hint: 'Choose another template there first.',
          details: { usedBy: uses },
        },
      )
    await tx.deleteFrom('content_templates').where('id', '=', id).execute()
    await tx.deleteFrom('content_template_versions').where('template_id', '=', id).execute()
  })
}

export interface TemplateVersion {
  version: number
  at: number
  by: string
  defaultLocale: string
  variants: Template['variants']
}

/** Newest first. */
export async function templateVersions(db: Db, id: string): Promise<TemplateVersion[]> {
  await getTemplate(db, id)
  const rows = await db
    .selectFrom('content_template_versions')
    .selectAll()
    .where('template_id', '=', id)
    .orderBy('version', 'desc')
    .limit(50)
    .execute()
  return rows.map(({ version, at, by, default_locale, variants }) => ({
    version,
    at,
    by,
    defaultLocale: default_locale,
    variants: JSON.parse(variants) as Template['variants'],
  }))
}

/** The content in the language that comes closest to a reader's, with its locale. */
export function variantFor(
  { variants, defaultLocale }: Pick<Template, 'variants' | 'defaultLocale'>,
  locale: string,
): { locale: string; content: Record<string, unknown> } {
  const chosen = closestLocale(locale, Object.keys(variants)) ?? defaultLocale
  return { locale: chosen, content: variants[chosen] ?? {} }
}

/** Journeys that refer to each template, in their draft or in what is in force. */
export async function templateUses(db: Db | Tx): Promise<Map<string, TemplateUse[]>> {
  const journeys = await db
    .selectFrom('journeys')
    .leftJoin('journey_versions', (join) =>
      join
        .onRef('journey_versions.journey_id', '=', 'journeys.id')
        .onRef('journey_versions.version', '=', 'journeys.published_version'),
    )
    .select([
      'journeys.id',
      'journeys.name',
      'journeys.state',
      'journeys.draft',
      'journey_versions.definition',
    ])
    .execute()
  const uses = new Map<string, TemplateUse[]>()
  for (const { id, name, state, draft, definition } of journeys) {
    const inForce = templatesIn(definition)
    for (const template of new Set([...templatesIn(draft), ...inForce])) {
      const live = state === 'live' && inForce.includes(template)
      uses.set(template, [...(uses.get(template) ?? []), { journeyId: id, name, live }])
    }
  }
  return uses
}

/** Templates that the sending steps of a definition name. */
export function templatesIn(definition: string | null): string[] {
  if (!definition?.includes('"template"')) return []
  const { nodes = {} } = JSON.parse(definition) as { nodes?: Record<string, RouteLike> }
  return Object.values(nodes)
    .filter(({ type }) => type === 'send')
    .flatMap((node) => [node, ...(node.alternatives ?? [])])
    .flatMap(({ template }) => (typeof template === 'string' ? [template] : []))
}

interface RouteLike {
  type?: string
  template?: unknown
  alternatives?: RouteLike[]
}

function checkLocales({ variants, defaultLocale }: TemplateInput): void {
  if (Object.hasOwn(variants, defaultLocale)) return
  throw userError(
    'E_TEMPLATE_LOCALE',
    `There is no text in "${defaultLocale}", the language to fall back to`,
    {
      hint: 'Write it, or choose another language to fall back to.',
    },
  )
}

async function addVersion(
  tx: Tx,
  {
    id,
    version,
    input,
    now,
    by,
  }: { id: string; version: number; input: TemplateInput; now: number; by: string },
): Promise<void> {
  await tx
    .insertInto('content_template_versions')
    .values({
      template_id: id,
      version,
      default_locale: input.defaultLocale,
      variants: JSON.stringify(input.variants),
      at: now,
      by,
    })
    .execute()
}
