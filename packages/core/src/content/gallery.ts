import type { Points, Text } from '../points/points.ts'
import { hasField } from './fields.ts'

/** A template that a plugin brings. */
export interface GalleryTemplate {
  id: string
  owner: { id: string }
  title: Text
  description: Text | null
  message: string
  /** Channels that have all its fields; those of the same plugin first. */
  channels: string[]
  variants: Record<keyof Text, Record<string, string>>
}

export function listGallery(points: Pick<Points, 'templates' | 'channels'>): GalleryTemplate[] {
  return points.templates.list().map(({ id, owner, value }) => {
    const texts = value.texts.map(({ field, text }) => ({ field, text: owner.text(text) }))
    const inLanguage = (locale: keyof Text) =>
      Object.fromEntries(texts.map(({ field, text }) => [field, text[locale]]))
    const channels = points.channels
      .list()
      .filter(({ value: channel }) => channel.messages.includes(value.message))
      .filter(({ value: channel }) => texts.every(({ field }) => hasField(channel.content, field)))
      .toSorted((a, b) => Number(b.owner.plugin === owner.plugin) - Number(a.owner.plugin === owner.plugin))
    return {
      id,
      owner: { id: owner.plugin },
      title: owner.text(value.title),
      description: value.description === undefined ? null : owner.text(value.description),
      message: value.message,
      channels: channels.map((channel) => channel.id),
      variants: { en: inLanguage('en'), 'zh-CN': inLanguage('zh-CN') },
    }
  })
}
