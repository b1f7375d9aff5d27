import { defineArea } from '../../shell/area.ts'

export const extensionsArea = defineArea({
  id: 'extensions',
  icon: 'blocks',
  path: '/extensions',
  side: () => import('./side-bar.vue'),
  routes: [{ path: '/extensions', component: () => import('./extensions-page.vue') }],
})
