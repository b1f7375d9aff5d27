import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type {
  Contributions,
  FeatureContribution,
  LabelValue,
  OutputColumn,
} from '../packages/plugin-api/src/index.ts'
import { code, table } from './markdown.ts'
import { pluginApiPages } from './plugin-api-reference.ts'

const root = path.dirname(import.meta.dirname)
const plugins = ['commerce', 'rfm']

type Locale = 'en' | 'zh-CN'

/** Words of the pages that do not come from a manifest. */
const WORDS = {
  en: {
    note: 'Made from the plugin’s manifest by `node scripts/generate-reference.ts`. Change the manifest, not this page.',
    events: 'Events',
    eventsLead:
      'The first name is the one that rules and reports use; an event may arrive under any of the others. The fact key says which events are versions of the same fact: of those with equal values the newest version counts. A part with `?` may be missing.',
    name: 'Name',
    title: 'Title',
    aliases: 'Also arrives as',
    key: 'Fact key',
    properties: 'Properties',
    value: 'counts as the value',
    required: 'required',
    columns: 'Columns',
    columnsLead:
      'Each is a column of the customer’s profile: for segments, exports and reports. Windows are whole days in the brand’s time zone, today included.',
    column: 'Column',
    type: 'Type',
    from: 'Worked out from',
    labels: 'Labels',
    label: 'Label',
    meaning: 'Meaning',
    group: 'Group',
    care: 'Care',
    window: (days: number) => (days === 1 ? 'today' : `last ${days} days`),
    fields: 'Fields of files',
    fieldsLead: 'What a column of an imported file can be mapped to.',
    personal: 'personal',
  },
  'zh-CN': {
    note: '本页由 `node scripts/generate-reference.ts` 根据插件清单生成。请修改清单，不要修改本页。',
    events: '事件',
    eventsLead:
      '第一个名称用于规则与报表；事件也可以用其他名称到达。事实键说明哪些事件是同一件事的不同版本：键值相同的事件中，以版本最新的为准。带 `?` 的部分可以缺省。',
    name: '名称',
    title: '中文名',
    aliases: '也可用的名称',
    key: '事实键',
    properties: '属性',
    value: '作为数值',
    required: '必填',
    columns: '列',
    columnsLead: '每一列都在客户画像里，可用于人群、导出与报表。时间窗按品牌时区的整日计算，含今天。',
    column: '列',
    type: '类型',
    from: '由何算出',
    labels: '标签',
    label: '标签',
    meaning: '含义',
    group: '所属群',
    care: '照顾策略',
    window: (days: number) => (days === 1 ? '当天' : `近 ${days} 天`),
    fields: '文件字段',
    fieldsLead: '导入文件时，一列可以对应的字段。',
    personal: '个人信息',
  },
}

interface PluginManifest {
  name: string
  displayName: string
  description: string
  contributes: Contributions
}

/** What a page is made from. */
interface Source {
  manifest: PluginManifest
  prefix: string
  locale: Locale
  text(key: string | undefined): string
}

/** The reference pages by path from the repository's root, as they have to be. */
export function referencePages(): Map<string, string> {
  const pages = new Map<string, string>(pluginApiPages())
  for (const plugin of plugins) {
    pages.set(`docs/reference/${plugin}.md`, pageOf(readSource(plugin, 'en')))
    pages.set(`docs/zh-CN/reference/${plugin}.md`, pageOf(readSource(plugin, 'zh-CN')))
  }
  return pages
}

function readSource(plugin: string, locale: Locale): Source {
  const read = (file: string) => JSON.parse(readFileSync(path.join(root, 'plugins', plugin, file), 'utf8'))
  const texts = read(locale === 'en' ? 'package.nls.json' : `package.nls.${locale}.json`) as Record<
    string,
    string
  >
  return {
    manifest: read('package.json') as PluginManifest,
    prefix: plugin,
    locale,
    text: (key) => (key?.startsWith('%') ? (texts[key.slice(1, -1)] ?? key) : (key ?? '')),
  }
}

function pageOf(source: Source): string {
  const { manifest, text } = source
  const { events = [], features = [], scorers = [], segmenters = [], sources = [] } = manifest.contributes
  const parts = [
    `# ${text(manifest.displayName)}`,
    text(manifest.description),
    `<!-- ${WORDS[source.locale].note} -->`,
  ]
  if (events.length > 0) parts.push(...eventParts(source))
  if (features.length + scorers.length + segmenters.length > 0) parts.push(...columnParts(source))
  for (const segmenter of segmenters) parts.push(...labelParts(source, segmenter))
  if (sources.length > 0) parts.push(...fieldParts(source))
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

function eventParts({ manifest, locale, text }: Source): string[] {
  const words = WORDS[locale]
  const events = manifest.contributes.events ?? []
  const rows = events.map(({ name, title, aliases = [], key = [] }) => [
    code(name),
    text(title),
    aliases.join(', '),
    key.map(code).join(' '),
  ])
  const properties = events.map(({ name, schema, value }) => {
    const { properties = {}, required = [] } = (schema ?? {}) as {
      properties?: Record<string, { type?: string; items?: { properties?: object } }>
      required?: string[]
    }
    const shown = Object.entries(properties).map(([property, { type, items }]) => {
      const inner = items?.properties ? ` { ${Object.keys(items.properties).join(', ')} }` : ''
      const notes = [required.includes(property) && words.required, property === value && words.value].filter(
        Boolean,
      )
      return `${code(property)} ${type ?? ''}${inner}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`
    })
    return [code(name), shown.join('; ')]
  })
  return [
    `## ${words.events}`,
    words.eventsLead,
    table([words.name, words.title, words.aliases, words.key], rows),
    `### ${words.properties}`,
    table([words.name, words.properties], properties),
  ]
}

function columnParts(source: Source): string[] {
  const { manifest, prefix, locale, text } = source
  const words = WORDS[locale]
  const { features = [], scorers = [], segmenters = [] } = manifest.contributes
  const nameOf = (id: string) => code(`${prefix}_${id}`)
  const explained = ({ title, description }: Pick<OutputColumn, 'title' | 'description'>) =>
    [text(title), text(description)].filter(Boolean).join(locale === 'en' ? ': ' : '：')
  const rows = [
    ...features.map((feature) => [
      nameOf(feature.id),
      explained(feature),
      feature.type,
      originOf(feature, source),
    ]),
    ...scorers.flatMap(({ outputs, inputs }) =>
      outputs.map((output) => [
        nameOf(output.id),
        explained(output),
        output.type,
        inputs.map(code).join(' '),
      ]),
    ),
    ...segmenters.map(({ id, title, inputs }) => [
      nameOf(id),
      text(title),
      'label',
      inputs.map(code).join(' '),
    ]),
  ]
  return [
    `## ${words.columns}`,
    words.columnsLead,
    table([words.column, words.title, words.type, words.from], rows),
  ]
}

function originOf({ aggregate, of, events, windowDays }: FeatureContribution, { locale }: Source): string {
  const words = WORDS[locale]
  const named = events.map(({ name, factor, where }) => {
    const only = Object.entries(where ?? {}).map(([property, value]) => `${property} = ${String(value)}`)
    return `${factor === -1 ? '−' : ''}${code(name)}${only.length > 0 ? ` (${only.join(', ')})` : ''}`
  })
  const what = of ? `${aggregate} ${code(of)}` : aggregate
  return [what, named.join(' '), windowDays ? words.window(windowDays) : ''].filter(Boolean).join(', ')
}

function labelParts(source: Source, segmenter: NonNullable<Contributions['segmenters']>[number]): string[] {
  const { locale, text } = source
  const words = WORDS[locale]
  const groups = segmenter.groups ?? []
  const groupTitle = (id: string | undefined) => text(groups.find((group) => group.id === id)?.title)
  const row = ({ id, title, description, group }: LabelValue) => [
    code(id),
    text(title),
    text(description),
    groupTitle(group),
  ]
  return [
    `## ${words.labels}`,
    table([words.label, words.title, words.meaning, words.group], segmenter.labels.map(row)),
    table(
      [words.group, words.care],
      groups.map(({ title, strategy }) => [text(title), text(strategy)]),
    ),
  ]
}

function fieldParts({ manifest, locale, text }: Source): string[] {
  const words = WORDS[locale]
  const rows = (manifest.contributes.sources ?? []).flatMap(({ fields }) =>
    fields.map(({ id, title, type, pii }) => [code(id), text(title), type, pii ? words.personal : '']),
  )
  return [`## ${words.fields}`, words.fieldsLead, table([words.name, words.title, words.type, ''], rows)]
}

if (import.meta.main) {
  for (const [page, text] of referencePages()) {
    mkdirSync(path.dirname(path.join(root, page)), { recursive: true })
    writeFileSync(path.join(root, page), text)
  }
}
