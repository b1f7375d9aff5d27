import { defineArea } from '../../shell/area.ts'
import { experimentRoutes } from '../experiments/routes.ts'

export const reportsArea = defineArea({
  id: 'reports',
  icon: 'chart-no-axes-column',
  path: '/reports',
  needs: ['reports.read'],
  side: () => import('./reports-side.vue'),
  routes: [
    { path: '/reports', component: () => import('./reports-overview.vue') },
    { path: '/reports/:id', component: () => import('./report-page.vue'), meta: { title: 'reports.report' } },
    ...experimentRoutes,
  ],
})
