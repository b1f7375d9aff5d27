import type { MaybeLocalized, Segment } from '@huitou/admin-kit'

export interface SegmentGroup {
  id: string
  title: string
  segments: Segment[]
}

/** A segment as the server sends it: those of plugins carry their words in both languages. */
type Titled = Segment & { title?: MaybeLocalized; groupTitle?: MaybeLocalized; color?: string | null }

/** Name of a segment in the reader's language. */
export function segmentTitle(segment: Titled, localized: (text: MaybeLocalized) => string): string {
  return localized(segment.title) || segment.name
}

/** The segments with names and groups in the reader's language. */
export function inWords(
  segments: readonly Segment[],
  localized: (text: MaybeLocalized) => string,
): Segment[] {
  return segments.map((segment: Titled) => ({
    ...segment,
    name: segmentTitle(segment, localized),
    group: localized(segment.groupTitle) || segment.group || null,
  }))
}

type Words = (key: string, values?: Record<string, unknown>) => string

/** Segments as the side bar and the pickers list them: those of plugins under their owner, one's own, fixed lists. */
export function segmentGroups(segments: readonly Segment[], t: Words): SegmentGroup[] {
  const groups = new Map<string, SegmentGroup>()
  const put = (id: string, title: string, segment: Segment) => {
    const group = groups.get(id) ?? { id, title, segments: [] }
    group.segments.push(segment)
    groups.set(id, group)
  }
  for (const segment of segments.filter((one) => one.kind === 'builtin')) {
    const owner = segment.group || segment.owner
    put(`owner:${owner}`, t('segments.fromOwner', { owner }), segment)
  }
  for (const segment of segments.filter((one) => one.kind === 'dynamic'))
    put('own', t('segments.yours'), segment)
  for (const segment of segments.filter((one) => one.kind === 'static'))
    put('static', t('segments.lists'), segment)
  return [...groups.values()]
}
