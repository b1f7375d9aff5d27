import '@huitou/admin-kit/theme/tokens.css'
import '@huitou/admin-kit/theme/base.css'
import './shell/shell.css'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import AppRoot from './app-root.vue'
import { firstLocale, i18n, setLocale } from './i18n.ts'
import { onSignedOut, queryClient } from './query-client.ts'
import { router } from './router.ts'
import { startTheme } from './theme.ts'

startTheme()
await setLocale(firstLocale(), false)

createApp(AppRoot).use(createPinia()).use(i18n).use(VueQueryPlugin, { queryClient }).use(router).mount('#app')

onSignedOut(() => {
  const { fullPath, meta } = router.currentRoute.value
  if (meta.bare) return
  queryClient.clear()
  void router.push({ path: '/sign-in', query: { next: fullPath } })
})
