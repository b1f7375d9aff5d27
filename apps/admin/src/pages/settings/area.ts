import { defineArea } from '../../shell/area.ts'

export const settingsArea = defineArea({
  id: 'settings',
  icon: 'sliders-horizontal',
  path: '/settings',
  place: 'bottom',
  side: () => import('./settings-side.vue'),
  routes: [
    {
      path: '/settings/:section?',
      component: () => import('./settings-page.vue'),
      meta: { tab: 'settings' },
    },
  ],
})
