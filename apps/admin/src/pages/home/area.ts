import { defineArea } from '../../shell/area.ts'

export const homeArea = defineArea({
  id: 'home',
  icon: 'house',
  path: '/',
  needs: ['home.read'],
  side: () => import('./home-side.vue'),
  routes: [{ path: '/', component: () => import('./home-page.vue'), meta: { title: 'home.today' } }],
})
