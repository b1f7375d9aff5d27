import { rank } from '@huitou/admin-kit'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

export const sectionIds = ['brand', 'hours', 'queues', 'keys', 'people', 'privacy', 'about'] as const
export type SectionId = (typeof sectionIds)[number]

const icons: Record<SectionId, string> = {
  brand: 'store',
  hours: 'clock',
  queues: 'headset',
  keys: 'key',
  people: 'users',
  privacy: 'shield',
  about: 'info',
}

/** Sections of the settings, findable by every word that stands in them. */
export function useSections(search: () => string) {
  const { t } = useI18n()
  const all = computed(() =>
    sectionIds.map((id) => ({
      id,
      icon: icons[id],
      title: t(`settings.${id}.title`),
      words: t(`settings.${id}.words`),
    })),
  )
  const found = computed(() => rank(search(), all.value, (section) => [section.title, section.words]))
  return { all, found }
}
