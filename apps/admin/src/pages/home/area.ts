import { defineArea } from '../../shell/area.ts'

export const homeArea = defineArea({
  id: 'home',
  icon: 'house',
  path: '/',
  routes: [{ path: '/', component: () => import('./home-page.vue') }],
})
