import type { Text } from '../points/points.ts'

const PREFIX = 'tag_'

/** Key of the trait that says whether a customer has a tag. */
export function tagTrait(tag: string): string {
  return PREFIX + tag
}

/** What people read above the column of a tag; undefined for any other trait. */
export function findTagTitle(trait: string): Text | undefined {
  if (!trait.startsWith(PREFIX) || trait.length === PREFIX.length) return undefined
  const tag = trait.slice(PREFIX.length)
  return { en: `Tag: ${tag}`, 'zh-CN': `标签：${tag}` }
}
