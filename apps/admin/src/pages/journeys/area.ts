import { defineArea } from '../../shell/area.ts'

export const journeysArea = defineArea({
  id: 'journeys',
  icon: 'route',
  path: '/journeys',
  needs: ['journeys.read'],
  side: () => import('./journeys-side.vue'),
  routes: [
    { path: '/journeys', component: () => import('./journeys-overview.vue') },
    {
      path: '/journeys/templates',
      component: () => import('./gallery-page.vue'),
      meta: { title: 'journeys.gallery' },
    },
    {
      path: '/journeys/:id',
      component: () => import('./journey-page.vue'),
      meta: { title: 'journeys.journey' },
    },
  ],
})
