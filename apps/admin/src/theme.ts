import { useMediaQuery, useStorage } from '@vueuse/core'
import { computed, watchEffect } from 'vue'

export type ThemeChoice = 'auto' | 'light' | 'dark'

/** What people chose on this device. */
export const themeChoice = useStorage<ThemeChoice>('huitou.theme', 'auto')

const systemDark = useMediaQuery('(prefers-color-scheme: dark)')

/** What is shown. */
export const theme = computed<'light' | 'dark'>(() =>
  themeChoice.value === 'auto' ? (systemDark.value ? 'dark' : 'light') : themeChoice.value,
)

/** Keeps `<html data-theme>` in step with the choice. */
export function startTheme(): void {
  watchEffect(() => (document.documentElement.dataset['theme'] = theme.value))
}

/** Auto, light, dark, and round again. */
export function nextTheme(): void {
  const order: ThemeChoice[] = ['auto', 'light', 'dark']
  themeChoice.value = order[(order.indexOf(themeChoice.value) + 1) % order.length]!
}
