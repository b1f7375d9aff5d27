import { defineArea } from '../../shell/area.ts'

export const workbenchArea = defineArea({
  id: 'workbench',
  icon: 'headset',
  path: '/workbench',
  needs: ['tasks.read'],
  side: () => import('./workbench-side.vue'),
  routes: [
    { path: '/workbench', component: () => import('./workbench-page.vue'), meta: { tab: 'workbench' } },
    {
      path: '/workbench/:id(\\d+)',
      component: () => import('./task-page.vue'),
      meta: { title: 'workbench.task', tab: 'workbench.task' },
    },
  ],
})
