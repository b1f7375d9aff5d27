import { defineArea } from '../../shell/area.ts'

export const segmentsArea = defineArea({
  id: 'segments',
  icon: 'blend',
  path: '/segments',
  needs: ['segments.read'],
  side: () => import('./segments-side.vue'),
  routes: [
    { path: '/segments', component: () => import('./segments-overview.vue') },
    { path: '/segments/new', component: () => import('./segment-page.vue'), meta: { title: 'segments.new' } },
    {
      path: '/segments/:id',
      component: () => import('./segment-page.vue'),
      meta: { title: 'segments.segment' },
    },
  ],
})
