import { readFileSync } from 'node:fs'
import path from 'node:path'
import manifestSchema from '../packages/plugin-api/manifest.schema.json' with { type: 'json' }
import { apiVersion, permissionCatalogue, pointCatalogue } from '../packages/plugin-api/src/index.ts'
import type { PointDescription } from '../packages/plugin-api/src/index.ts'
import { code, table } from './markdown.ts'

type Locale = 'en' | 'zh-CN'

interface Schema {
  description?: string
  type?: string | string[]
  $ref?: string
  enum?: unknown[]
  items?: Schema
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
}

const definitions = manifestSchema.$defs as unknown as Record<string, Schema>
const contributions = definitions['contributions']?.properties ?? {}

const WORDS = {
  en: {
    title: 'Plugin API',
    lead: `Version ${apiVersion}. What a plugin's \`package.json\` may say, point by point. Editors check it with \`packages/plugin-api/manifest.schema.json\`; what a plugin's code can do is in the types of \`@huitou/plugin-api\`.`,
    note: 'Made from the manifest’s schema by `node scripts/generate-reference.ts`. Change the schema, not this page.',
    manifest: 'Manifest',
    points: 'Contribution points',
    pointsLead:
      'What stands in `contributes`. Points whose engine comes later are checked and listed like all others, and have no effect until then.',
    point: 'Point',
    what: 'What it adds',
    engine: 'Engine',
    now: 'now',
    later: (what: string) => `later, with ${what}`,
    code: 'Code',
    none: 'none',
    starts: 'Starts the plugin with',
    implements: 'Implements',
    contract: 'Contract',
    tested: '`huitou plugin test` runs the contract suite of this point',
    declared: 'no code runs here, so the schema and the checks of the manifest are all of it',
    field: 'Field',
    type: 'Type',
    meaning: 'Meaning',
    required: 'required',
    permissions: 'Permissions',
    permissionsLead:
      'What stands in `permissions`, and what the owner reads before granting it. Everything else is refused with `E_PERMISSION`.',
    permission: 'Permission',
    allows: 'Allows',
    settings:
      'A JSON Schema of type `object`. Each property may also carry `order`, `scope` and `secret: true`, which stores the value encrypted and never shows it again.',
    list: 'list',
    switch: 'yes or no',
  },
  'zh-CN': {
    title: '插件接口',
    lead: `版本 ${apiVersion}。本页逐项说明插件 \`package.json\` 的写法。编辑器可用 \`packages/plugin-api/manifest.schema.json\` 校验；插件代码能做什么，见 \`@huitou/plugin-api\` 的类型。`,
    note: '本页由 `node scripts/generate-reference.ts` 根据清单的 Schema 生成。请修改 Schema，不要修改本页。',
    manifest: '清单',
    points: '贡献点',
    pointsLead: '即 `contributes` 的内容。引擎尚未提供的贡献点同样会被校验与列出，但在此之前不起作用。',
    point: '贡献点',
    what: '添加什么',
    engine: '引擎',
    now: '已提供',
    later: (what: string) => `随“${what}”提供`,
    code: '代码',
    none: '无',
    starts: '触发激活的事件',
    implements: '需实现的方法',
    contract: '契约',
    tested: '由 `huitou plugin test` 运行该贡献点的契约测试',
    declared: '这里不运行代码，清单的 Schema 与校验即为全部契约',
    field: '字段',
    type: '类型',
    meaning: '含义',
    required: '必填',
    permissions: '权限',
    permissionsLead:
      '即 `permissions` 的内容，也是所有者授权前读到的说明。未列出的一律以 `E_PERMISSION` 拒绝。',
    permission: '权限',
    allows: '允许',
    settings:
      '类型为 `object` 的 JSON Schema。每个属性还可带 `order`、`scope` 与 `secret: true`；后者加密保存且不再显示。',
    list: '列表',
    switch: '是或否',
  },
}

/** The pages about the plugin API by path from the repository's root, as they have to be. */
export function pluginApiPages(): [string, string][] {
  return [
    ['docs/reference/plugin-api.md', pageIn('en')],
    ['docs/zh-CN/reference/plugin-api.md', pageIn('zh-CN')],
  ]
}

function pageIn(locale: Locale): string {
  const words = WORDS[locale]
  const parts = [
    `# ${words.title}`,
    words.lead,
    `<!-- ${words.note} -->`,
    `## ${words.manifest}`,
    fieldTable(manifestSchema as unknown as Schema, locale),
    `## ${words.permissions}`,
    words.permissionsLead,
    table(
      [words.permission, words.type, words.allows],
      permissionCatalogue.map(({ id, kind, title, description }) => [
        code(id),
        words[kind],
        `**${title[locale]}** ${description[locale]}`,
      ]),
    ),
    `## ${words.points}`,
    words.pointsLead,
    table(
      [words.point, words.what, words.engine],
      pointCatalogue.map((point) => [
        `[${code(point.id)}](#${point.id.toLowerCase()})`,
        point.description[locale],
        engineOf(point, locale),
      ]),
    ),
    ...pointCatalogue.flatMap((point) => pointParts(point, locale)),
  ]
  return `${parts.join('\n\n')}\n`
}

function engineOf({ comesWith }: PointDescription, locale: Locale): string {
  const words = WORDS[locale]
  return comesWith ? words.later(comesWith[locale]) : words.now
}

function pointParts(point: PointDescription, locale: Locale): string[] {
  const words = WORDS[locale]
  const separator = locale === 'en' ? ': ' : '：'
  const facts = [
    `${words.engine}${separator}${engineOf(point, locale)}`,
    point.activation && `${words.starts}${separator}${code(point.activation)}`,
    point.implements.length > 0 &&
      `${words.implements}${separator}${point.implements.map((name) => (name.includes(' ') ? name : code(name))).join(', ')}`,
    `${words.contract}${separator}${point.implements.length > 0 || point.id === 'journeys' ? words.tested : words.declared}`,
  ].filter(Boolean)
  const head = [
    `### ${point.id}`,
    `**${point.title[locale]}** ${point.description[locale]}`,
    `${facts.join('  \n')}`,
  ]
  const name = nameOf(contributions[point.id]?.items)
  if (name === undefined) return [...head, words.settings]
  return [...head, ...definitionParts(name, locale, new Set())]
}

/** Tables of a definition and of those that only it leads to. */
function definitionParts(name: string, locale: Locale, shown: Set<string>): string[] {
  const definition = definitions[name]
  if (!definition?.properties || shown.has(name)) return []
  shown.add(name)
  const inner = Object.values(definition.properties).flatMap((property) => {
    const next = nameOf(property) ?? nameOf(property.items) ?? nameOf(valuesOf(property))
    return next === undefined ? [] : definitionParts(next, locale, shown)
  })
  const heading = shown.values().next().value === name ? [] : [`#### ${code(name)}`]
  return [...heading, fieldTable(definition, locale), ...inner]
}

function fieldTable({ properties = {}, required = [] }: Schema, locale: Locale): string {
  const words = WORDS[locale]
  const rows = Object.entries(properties).map(([field, schema]) => [
    code(field),
    typeOf(schema),
    `${textOf(schema.description ?? '', locale)}${required.includes(field) ? ` *${words.required}*` : ''}`,
  ])
  return table([words.field, words.type, words.meaning], rows)
}

function typeOf(schema: Schema): string {
  const name = nameOf(schema)
  const definition = name === undefined ? undefined : definitions[name]
  if (name && definition) {
    if (definition.properties || name === 'columnRule' || name === 'jsonSchema') return code(name)
    return typeOf(definition)
  }
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(' ')
  if (schema.items) return `${typeOf(schema.items)} …`
  return [schema.type ?? 'any'].flat().join(' / ')
}

function valuesOf({ additionalProperties }: Schema): Schema | undefined {
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

function nameOf(schema: Schema | undefined): string | undefined {
  return schema?.$ref?.replace('#/$defs/', '')
}

const chinese = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'manifest-texts.zh-CN.json'), 'utf8'),
) as Record<string, string>

/** Descriptions of the schema are English; each has to have its Chinese. */
function textOf(description: string, locale: Locale): string {
  if (locale === 'en') return description
  const translated = chinese[description]
  if (translated === undefined) {
    throw new Error(`manifest-texts.zh-CN.json lacks a translation of "${description}"`)
  }
  return translated
}
