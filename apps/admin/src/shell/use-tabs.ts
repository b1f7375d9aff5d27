import { confirmed } from '@huitou/admin-kit'
import type { IconName, TabTitle } from '@huitou/admin-kit'
import { useStorage } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { RouteLocationNormalizedLoaded } from 'vue-router'
import { i18n } from '../i18n.ts'
import { router } from '../router.ts'

export interface Tab {
  id: string
  /** Where the tab stands, query and all. */
  path: string
  /** Message key of the first words. */
  titleKey: string
  title?: TabTitle | undefined
  icon: IconName
  area: string
  dirty?: boolean
}

/** Words on a tab, in the language of the moment. */
export function titleOf({ id, title, titleKey }: Pick<Tab, 'id' | 'title' | 'titleKey'>): string {
  const { t, locale } = i18n.global
  if (typeof title === 'string') return title
  return title?.[locale.value === 'en' ? 'en' : 'zh-CN'] ?? (titleKey ? t(titleKey) : id)
}

/** Tab that a place lives in. */
export function tabIdOf(route: RouteLocationNormalizedLoaded): string {
  const { tab } = route.meta
  if (typeof tab === 'function') return tab(route as Parameters<typeof tab>[0])
  return tab ?? route.path
}

/** The open tabs. They keep their place over a reload and their page's state until closed. */
export const useTabs = defineStore('tabs', () => {
  const tabs = useStorage<Tab[]>('huitou.tabs', [], sessionStorage)
  const activeId = ref('')
  const active = computed(() => find(activeId.value))
  /** Where one goes back to when the front tab closes: ids, latest last. */
  const history = ref<string[]>([])

  function find(id: string): Tab | undefined {
    return tabs.value.find((tab) => tab.id === id)
  }

  /** Brings the tab of a route to the front, opening it beside the current one if it is new. */
  function show(route: RouteLocationNormalizedLoaded): void {
    const id = tabIdOf(route)
    const known = find(id)
    if (known) known.path = route.fullPath
    else {
      const { title = '', icon = 'file', area = '' } = route.meta
      const at = tabs.value.findIndex((tab) => tab.id === activeId.value)
      tabs.value.splice(at < 0 ? tabs.value.length : at + 1, 0, {
        id,
        path: route.fullPath,
        titleKey: title,
        icon,
        area,
      })
    }
    activeId.value = id
    history.value = [...history.value.filter((past) => past !== id), id]
  }

  function update(id: string, change: Partial<Pick<Tab, 'title' | 'titleKey' | 'icon' | 'dirty'>>): void {
    const tab = find(id)
    if (tab) Object.assign(tab, change)
  }

  /** Closes a tab; asks first when something in it is not saved. */
  async function close(id: string): Promise<void> {
    const tab = find(id)
    if (!tab || (tab.dirty && !(await mayLose(tab)))) return
    tabs.value = tabs.value.filter((open) => open.id !== id)
    history.value = history.value.filter((past) => past !== id)
    if (activeId.value !== id) return
    const next = find(history.value.at(-1) ?? '') ?? tabs.value.at(-1)
    await router.push(next?.path ?? '/')
  }

  async function closeOthers(id: string): Promise<void> {
    for (const tab of tabs.value.filter((open) => open.id !== id)) await close(tab.id)
  }

  /** Moves to the tab `step` places to the right, round the end. */
  async function step(step: number): Promise<void> {
    const at = tabs.value.findIndex((tab) => tab.id === activeId.value)
    const next = tabs.value[(at + step + tabs.value.length) % tabs.value.length]
    if (next) await router.push(next.path)
  }

  return { tabs, activeId, active, show, update, close, closeOthers, step, find }
})

function mayLose(tab: Tab): Promise<boolean> {
  const { t } = i18n.global
  return confirmed({
    title: t('shell.unsaved.title', { name: titleOf(tab) }),
    text: t('shell.unsaved.text'),
    confirm: t('shell.unsaved.confirm'),
    danger: true,
  })
}
