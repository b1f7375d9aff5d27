import {
  type KeybindingContribution,
  type MenuContribution,
  parseWhen,
  type ViewContribution,
  type When,
} from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import type { Contribution, PointOwner, Points, Text } from './points.ts'

/** What the admin app must know of a plugin besides what it contributes. */
export interface PluginFacts {
  version: string
  /** Whether its scripts may run in the admin's own page. */
  isTrusted: boolean
}

/** A page or panel of a plugin, every id in full. */
export interface PluginViewInfo {
  /** `publisher.name/id` */
  id: string
  plugin: string
  title: Text
  description: Text | null
  icon: string | null
  kind: ViewContribution['kind']
  /** `activityBar`, `customerPage`, `workbenchSide`, `dashboard`, or a container: `publisher.name/id`. */
  place: string
  collection: string | null
  fields: string[] | null
  groupBy: string | null
  dateField: string | null
  blocks: {
    id: string
    title: Text | null
    report: string
    block: string
    span: number
    parameters: Record<string, unknown>
  }[]
  report: string | null
  /** Address of its page or script; null for what may not be shown. */
  entry: string | null
  /** Why it is not shown: a script in the admin's own page is for bundled and trusted plugins. */
  refused: 'untrusted' | null
  when: When | null
}

export interface ViewsContainerInfo {
  id: string
  plugin: string
  title: Text
  icon: string
  when: When | null
}

/** An entry of a menu or a key, its command in full. */
export type MenuInfo = Omit<MenuContribution, 'when'> & { plugin: string; when: When | null }
export type KeybindingInfo = Omit<KeybindingContribution, 'when'> & { plugin: string; when: When | null }

export interface ViewsAnswer {
  containers: ViewsContainerInfo[]
  views: PluginViewInfo[]
  menus: MenuInfo[]
  keybindings: KeybindingInfo[]
}

const PLACES = new Set(['activityBar', 'customerPage', 'workbenchSide', 'dashboard'])

/** What plugins show in the admin app, mounted at `/api/views`. */
export function viewRoutes({
  points,
  pluginFacts,
}: {
  points: Points
  pluginFacts(): Promise<ReadonlyMap<string, PluginFacts>>
}) {
  return new Hono<SignedIn>().get(
    '/',
    describeRoute({ tags: ['views'], summary: 'Pages, panels, menus and keys of enabled plugins' }),
    async (c) => answerJson<ViewsAnswer>(c, listViews(points, await pluginFacts())),
  )
}

export function listViews(points: Points, plugins: ReadonlyMap<string, PluginFacts>): ViewsAnswer {
  const commandOf = ({ owner, value }: Contribution<MenuContribution | KeybindingContribution>) =>
    fullId(owner, value.command)
  return {
    containers: points.viewsContainers.list().map(({ owner, id, value }) => ({
      id,
      plugin: owner.plugin,
      title: owner.text(value.title),
      icon: value.icon,
      when: readWhen(value.when),
    })),
    views: points.views.list().map((view) => toViewInfo(points, view, plugins.get(view.owner.plugin))),
    menus: points.menus.list().map((menu) => ({
      ...menu.value,
      command: commandOf(menu),
      plugin: menu.owner.plugin,
      when: readWhen(menu.value.when),
    })),
    keybindings: points.keybindings.list().map((key) => ({
      ...key.value,
      command: commandOf(key),
      plugin: key.owner.plugin,
      when: readWhen(key.value.when),
    })),
  }
}

function toViewInfo(
  points: Points,
  { owner, id, value }: Contribution<ViewContribution>,
  facts: PluginFacts | undefined,
): PluginViewInfo {
  // A script in the admin's own page can do all that the reader may.
  const isRefused = value.kind === 'module' && facts?.isTrusted !== true
  return {
    id,
    plugin: owner.plugin,
    title: owner.text(value.title),
    description: value.description ? owner.text(value.description) : null,
    icon: value.icon ?? null,
    kind: value.kind,
    place: PLACES.has(value.place) ? value.place : fullId(owner, value.place),
    collection: value.collection ? fullId(owner, value.collection) : null,
    fields: value.fields ?? null,
    groupBy: value.groupBy ?? null,
    dateField: value.dateField ?? null,
    blocks: (value.blocks ?? []).map(({ id: block, title, report, block: source, span, parameters }) => ({
      id: block,
      title: title ? owner.text(title) : null,
      report: reportId(points, owner, report),
      block: source,
      span: span ?? 12,
      parameters: { ...parameters },
    })),
    report: value.report ? reportId(points, owner, value.report) : null,
    entry: value.entry && facts && !isRefused ? fileAddress(owner.plugin, facts.version, value.entry) : null,
    refused: isRefused ? 'untrusted' : null,
    when: readWhen(value.when),
  }
}

/** Where the admin app finds a file of a plugin. */
function fileAddress(plugin: string, version: string, entry: string): string {
  const path = entry.replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/')
  return `/plugin-files/${encodeURIComponent(plugin)}/${encodeURIComponent(version)}/${path}`
}

/** Reports go by the prefix of their plugin. */
function reportId(points: Points, owner: PointOwner, report: string): string {
  const [plugin, id] = report.includes('/') ? report.split('/') : [owner.plugin, report]
  const found = points.reports
    .list()
    .find((each) => each.owner.plugin === plugin && each.id === `${each.owner.prefix}.${id}`)
  return found?.id ?? report
}

/** `publisher.name/id` of what a plugin names by its own id or in full. */
export function fullId(owner: Pick<PointOwner, 'plugin'>, id: string): string {
  return id.includes('/') ? id : `${owner.plugin}/${id}`
}

/** A `when` as a page evaluates it. One that cannot be read hides what it guards. */
export function readWhen(when: string | undefined): When | null {
  if (!when) return null
  try {
    return parseWhen(when)
  } catch {
    return { kind: 'or', of: [] }
  }
}
