import type { MaybeLocalized } from '@huitou/admin-kit'
import { contributionId, findPoint } from '@huitou/plugin-api'

/** One thing an extension adds. */
export interface ContributionRow {
  id: string
  title: MaybeLocalized
  note: MaybeLocalized
}

export interface ContributionGroup {
  /** Name of the point in the manifest, for instance `segmenters`. */
  point: string
  title: MaybeLocalized
  description: MaybeLocalized
  /** What makes it take effect; absent when it does already. */
  comesWith: MaybeLocalized
  rows: ContributionRow[]
}

type Entry = {
  id?: string
  name?: string
  title?: MaybeLocalized
  description?: MaybeLocalized
  point?: string
  labels?: Entry[]
  outputs?: Entry[]
}

/** What a manifest contributes, point by point; `configuration` has a page of its own. */
export function contributionGroups(
  contributes: Record<string, unknown> | null | undefined,
): ContributionGroup[] {
  return Object.entries(contributes ?? {}).flatMap(([point, entries]) => {
    if (point === 'configuration' || !Array.isArray(entries) || entries.length === 0) return []
    const known = findPoint(point)
    return [
      {
        point,
        title: known?.title ?? point,
        description: known?.description,
        comesWith: known?.engine === 'later' ? known.comesWith : undefined,
        rows: (entries as Entry[]).map((entry) => toRow(point, entry)),
      },
    ]
  })
}

export function contributionCount(contributes: Record<string, unknown> | null | undefined): number {
  return contributionGroups(contributes).reduce((sum, group) => sum + group.rows.length, 0)
}

function toRow(point: string, entry: Entry): ContributionRow {
  const id = contributionId(point, entry)
  return {
    id,
    title: entry.title ?? id,
    note: entry.description ?? entry.point ?? membersOf(entry.labels ?? entry.outputs),
  }
}

function membersOf(members: Entry[] | undefined): MaybeLocalized {
  if (!members?.length) return undefined
  const words = (locale: 'en' | 'zh-CN', joint: string) =>
    members
      .map(({ title, id }) => (typeof title === 'object' ? title?.[locale] : title) ?? id ?? '')
      .join(joint)
  return { en: words('en', ', '), 'zh-CN': words('zh-CN', '、') }
}
