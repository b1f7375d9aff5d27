import { defineArea } from '../../shell/area.ts'

export const extensionsArea = defineArea({
  id: 'extensions',
  icon: 'blocks',
  path: '/extensions',
  side: () => import('./extensions-side.vue'),
  routes: [
    {
      path: '/extensions',
      component: () => import('./running-page.vue'),
      meta: { title: 'extensions.running' },
    },
    {
      path: '/extensions/:id',
      component: () => import('./extension-page.vue'),
      meta: { title: 'extensions.one' },
    },
  ],
})
