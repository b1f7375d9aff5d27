import type { RouteRecordRaw } from 'vue-router'

/** Experiments stand among the reports: they say what helped. */
export const experimentRoutes: RouteRecordRaw[] = [
  {
    path: '/experiments',
    component: () => import('./experiment-list.vue'),
    meta: { title: 'experiments.title', icon: 'split', needs: ['experiments.read'] },
  },
  {
    path: '/experiments/new',
    component: () => import('./experiment-page.vue'),
    meta: { title: 'experiments.new', icon: 'split', needs: ['experiments.read'] },
  },
  {
    path: '/experiments/:id',
    component: () => import('./experiment-page.vue'),
    meta: { title: 'experiments.one', icon: 'split', needs: ['experiments.read'] },
  },
]
