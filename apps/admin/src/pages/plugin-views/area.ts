import { defineArea } from '../../shell/area.ts'

/** Pages of plugins. The activity bar shows their containers in its place. */
export const pluginViewsArea = defineArea({
  id: 'pluginViews',
  icon: 'puzzle',
  path: '/views',
  side: () => import('./views-side.vue'),
  routes: [
    {
      path: '/views/:plugin/:view',
      component: () => import('./view-page.vue'),
      meta: { title: 'pluginViews.view' },
    },
    {
      path: '/records/:plugin/:collection/:id',
      component: () => import('./record-page.vue'),
      meta: { title: 'pluginViews.record', icon: 'file-text', needs: ['records.read'] },
    },
  ],
})
