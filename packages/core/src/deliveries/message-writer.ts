import type { JsonSchema } from '@huitou/plugin-api'
import { ATTACHMENTS_LIMIT, type Attachment, readAttachments } from '../content/assets.ts'
import { fieldKind, hasField } from '../content/fields.ts'
import { fillContent, type FilledContent } from '../content/fill.ts'
import { readerLocale } from '../content/here.ts'
import { MessageLinks, type NewLink, readLinkKey, saveLinks } from '../content/link-tokens.ts'
import { rewriteLinks } from '../content/links.ts'
import { readTemplates, type Template, variantFor } from '../content/templates.ts'
import type { Db, Tx } from '../db/database.ts'
import { TEMPLATE_KEY } from '../journeys/outbox.ts'
import { contentIn } from '../journeys/template-texts.ts'
import type { Brand } from '../settings/brand.ts'
import type { SecretBox } from './accounts.ts'

export interface WriterWorld {
  brand: Brand
  now: number
  box: SecretBox
  /** Content schema of the channel that the messages go to. */
  schema: JsonSchema | undefined
}

export interface MessageToWrite {
  content: Readonly<Record<string, unknown>>
  profile: Readonly<Record<string, unknown>> | undefined
  /** What variables are filled in from besides. */
  given?: Readonly<Record<string, unknown>>
  purpose?: string
  locale?: string
  /** Whose links are counted; a message without gets none of its own. */
  delivery?: { id: number; key: string }
}

/** A message as its channel gets it; `shown` is the same without the files it carries. */
export type WrittenMessage =
  | { content: Record<string, unknown>; shown: Record<string, unknown>; locale: string }
  | Problem

type Problem = Extract<FilledContent, { problem: string }>

interface Source {
  content: Record<string, unknown>
  locale: string
}

/** Where a message that nobody gets lets people take their leave. */
export const SAMPLE_TOKEN = 'sample'

/** Writes messages to one channel: what several of them need is read once. */
export class MessageWriter {
  readonly #world: WriterWorld
  readonly #templates: Map<string, Template>
  readonly #files: Map<string, Attachment>
  readonly #linkKey: string | undefined
  readonly #links: NewLink[] = []

  private constructor(
    world: WriterWorld,
    known: { templates: Map<string, Template>; files: Map<string, Attachment>; linkKey: string | undefined },
  ) {
    this.#world = world
    this.#templates = known.templates
    this.#files = known.files
    this.#linkKey = known.linkKey
  }

  static async open(
    db: Db | Tx,
    world: WriterWorld,
    contents: readonly Readonly<Record<string, unknown>>[],
  ): Promise<MessageWriter> {
    const ids = contents.flatMap(({ [TEMPLATE_KEY]: id }) => (typeof id === 'string' ? [id] : []))
    const templates = await readTemplates(db, [...new Set(ids)])
    const sources = [
      ...contents,
      ...[...templates.values()].flatMap(({ variants }) => Object.values(variants)),
    ]
    const files = await readAttachments(db, [
      ...new Set(sources.flatMap((content) => filesIn(content, world.schema))),
    ])
    const linkKey = world.brand.publicUrl ? await readLinkKey(db, world.box) : undefined
    return new MessageWriter(world, { templates, files, linkKey })
  }

  write(message: MessageToWrite): WrittenMessage {
    const { brand, now, schema } = this.#world
    const source = this.#sourceOf(message)
    if ('problem' in source) return source
    const links = this.#linksOf(message)
    const unsubscribe = links?.unsubscribe() ?? this.#sampleLeave()
    const filled = fillContent(source.content, {
      schema,
      scope: {
        ...message.given,
        customer: (message.profile ?? {}) as Record<string, unknown>,
        event: (message.given?.['event'] as Record<string, unknown> | undefined) ?? {},
        brand: { name: brand.brandName, currency: brand.currency },
        links: brand.links ?? {},
        unsubscribe_url: unsubscribe,
      },
      here: { locale: source.locale, timeZone: brand.timeZone, currency: brand.currency, now },
    })
    if ('problem' in filled) return filled
    const whole = this.#complete(filled.content, { purpose: message.purpose ?? 'marketing', unsubscribe })
    const shown = rewriteLinks(whole, { schema, shorten: (url) => links?.page(url) ?? url })
    if (links) this.#links.push(...links.usedIn(JSON.stringify(shown)))
    const carried = this.#withFiles(shown)
    return 'problem' in carried ? carried : { content: carried.content, shown, locale: source.locale }
  }

  /** Notes the addresses that stand in what was written, in the transaction that hands it over. */
  async save(tx: Tx): Promise<void> {
    await saveLinks(tx, this.#links, this.#world.now)
  }

  #sourceOf({ content, profile, locale }: MessageToWrite): Source | Problem {
    const { brand } = this.#world
    const reader = locale ?? readerLocale(profile, brand.locale)
    const { [TEMPLATE_KEY]: id, ...own } = content
    if (typeof id !== 'string') return { content: contentIn(own, reader), locale: reader }
    const template = this.#templates.get(id)
    if (!template) return { problem: `there is no template "${id}"`, missing: [] }
    const variant = variantFor(template, reader)
    return { content: { ...variant.content, ...contentIn(own, reader) }, locale: variant.locale }
  }

  #linksOf({ delivery }: MessageToWrite): MessageLinks | undefined {
    const { publicUrl } = this.#world.brand
    if (!delivery || !publicUrl || this.#linkKey === undefined) return undefined
    return new MessageLinks(this.#linkKey, publicUrl, delivery)
  }

  #sampleLeave(): string | undefined {
    const { publicUrl } = this.#world.brand
    return publicUrl ? `${publicUrl.replace(/\/+$/, '')}/u/${SAMPLE_TOKEN}` : undefined
  }

  /** What the channel wants to know and no operator should have to write into every message. */
  #complete(
    content: Record<string, unknown>,
    { purpose, unsubscribe }: { purpose: string; unsubscribe: string | undefined },
  ): Record<string, unknown> {
    const { schema } = this.#world
    const whole = { ...content }
    if (hasField(schema, 'purpose')) whole['purpose'] ??= purpose === 'marketing' ? 'marketing' : 'service'
    if (hasField(schema, 'unsubscribe_url') && whole['purpose'] !== 'service' && unsubscribe !== undefined)
      whole['unsubscribe_url'] ??= unsubscribe
    return whole
  }

  #withFiles(content: Record<string, unknown>): Pick<Source, 'content'> | Problem {
    const { schema } = this.#world
    const carried = { ...content }
    for (const [field, value] of Object.entries(content)) {
      if (fieldKind(schema, field) !== 'assets' || !Array.isArray(value)) continue
      const files = value.map((id) => this.#files.get(String(id)))
      const lost = value[files.indexOf(undefined)] as unknown
      if (files.includes(undefined))
        return { problem: `${field}: there is no file "${String(lost)}", or it is too large`, missing: [] }
      const size = files.reduce((sum, file) => sum + ((file?.content.length ?? 0) * 3) / 4, 0)
      if (size > ATTACHMENTS_LIMIT)
        return {
          problem: `${field}: the files are larger than ${ATTACHMENTS_LIMIT / 1_024} KB together`,
          missing: [],
        }
      carried[field] = files
    }
    return { content: carried }
  }
}

function filesIn(content: Readonly<Record<string, unknown>>, schema: JsonSchema | undefined): string[] {
  return Object.entries(content).flatMap(([field, value]) =>
    fieldKind(schema, field) === 'assets' && Array.isArray(value) ? value.map(String) : [],
  )
}
