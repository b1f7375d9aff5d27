import { inject, onScopeDispose, watchEffect } from 'vue'
import type { InjectionKey, MaybeRefOrGetter, Ref } from 'vue'
import { toValue } from 'vue'
import type { IconName } from '../components/icons.ts'

/** A name as it is, or in every language: a tab that nobody looks at follows when the language is switched. */
export type TabTitle = string | { readonly en: string; readonly 'zh-CN': string }

/** What the shell gives to the page inside a tab. */
export interface TabContext {
  readonly id: string
  /** Whether the tab is the one in front; pages in other tabs stay alive. */
  readonly active: Readonly<Ref<boolean>>
  update(change: { title?: TabTitle | undefined; titleKey?: string; icon?: IconName; dirty?: boolean }): void
  close(): void
  /**
   * Goes to another page and closes this tab without asking. Done once the page is gone: what it showed can be deleted
   * then, and nothing asks the server for it any more.
   */
  leave(to: string): Promise<void>
}

export const tabContextKey: InjectionKey<TabContext> = Symbol('huitou.tab')

export interface TabOptions {
  /** Words on the tab; until they are known, the route's own title stands there. */
  title?: MaybeRefOrGetter<TabTitle | undefined>
  /** Key of the words in the locale files, where they name the page and not what is on it. */
  titleKey?: string
  icon?: MaybeRefOrGetter<IconName | undefined>
  /** True while there is something typed and not saved: a dot, and a question before closing. */
  dirty?: MaybeRefOrGetter<boolean>
}

/** The tab this page lives in. Keeps its words, icon and dirty dot in step with `options`. */
export function useTab(options: TabOptions = {}): TabContext {
  const tab = inject(tabContextKey)
  if (!tab) throw new Error('useTab() works only in pages that the shell shows in a tab')
  if (options.titleKey) tab.update({ titleKey: options.titleKey, title: undefined })
  watchEffect(() => {
    const title = toValue(options.title)
    if (title) tab.update({ title })
  })
  watchEffect(() => {
    const icon = toValue(options.icon)
    if (icon) tab.update({ icon })
  })
  if (options.dirty !== undefined) {
    watchEffect(() => tab.update({ dirty: toValue(options.dirty) ?? false }))
    onScopeDispose(() => tab.update({ dirty: false }))
  }
  return tab
}
