import { defineArea } from '../../shell/area.ts'

export const homeArea = defineArea({
  id: 'home',
  icon: 'house',
  path: '/',
  side: () => import('./home-side.vue'),
  routes: [{ path: '/', component: () => import('./home-page.vue'), meta: { title: 'home.today' } }],
})
