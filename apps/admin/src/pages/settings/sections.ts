import { type Permission, rank, useMay } from '@huitou/admin-kit'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

export const sectionIds = [
  'brand',
  'hours',
  'queues',
  'keys',
  'people',
  'audit',
  'privacy',
  'encryption',
  'alerts',
  'operations',
  'account',
  'about',
] as const
export type SectionId = (typeof sectionIds)[number]

const icons: Record<SectionId, string> = {
  brand: 'store',
  hours: 'clock',
  queues: 'headset',
  keys: 'key',
  people: 'users',
  audit: 'history',
  privacy: 'shield',
  encryption: 'lock',
  alerts: 'bell',
  operations: 'activity',
  account: 'user',
  about: 'info',
}

/** Who may see a section; those that are not named are for everybody. */
const needs: Partial<Record<SectionId, Permission | readonly Permission[]>> = {
  brand: 'settings.write',
  hours: 'tasks.manage',
  queues: 'tasks.manage',
  keys: 'keys.manage',
  people: 'people.manage',
  audit: 'audit.read',
  // Whoever answers customers finds there what they asked for.
  privacy: ['privacy.manage', 'privacy.requests'],
  encryption: 'security.manage',
  operations: 'operations.read',
}

/** Sections of the settings, findable by every word that stands in them. */
export function useSections(search: () => string) {
  const { t } = useI18n()
  const may = useMay()
  const isOpen = (id: SectionId) => {
    const needed = needs[id]
    return needed === undefined || [needed].flat().some((permission) => may(permission))
  }
  const all = computed(() =>
    sectionIds.filter(isOpen).map((id) => ({
      id,
      icon: icons[id],
      title: t(`settings.${id}.title`),
      words: t(`settings.${id}.words`),
    })),
  )
  const found = computed(() => rank(search(), all.value, (section) => [section.title, section.words]))
  return { all, found, isOpen }
}
