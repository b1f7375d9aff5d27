import { defineArea } from '../../shell/area.ts'

export const settingsArea = defineArea({
  id: 'settings',
  icon: 'sliders-horizontal',
  path: '/settings',
  place: 'bottom',
  side: () => import('./side-bar.vue'),
  routes: [{ path: '/settings', component: () => import('./settings-page.vue') }],
})
