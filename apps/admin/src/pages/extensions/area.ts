import { defineArea } from '../../shell/area.ts'

export const extensionsArea = defineArea({
  id: 'extensions',
  icon: 'blocks',
  path: '/extensions',
  needs: ['plugins.read'],
  side: () => import('./extensions-side.vue'),
  routes: [
    {
      path: '/extensions',
      component: () => import('./running-page.vue'),
      meta: { title: 'extensions.running' },
    },
    {
      path: '/extensions/registries',
      component: () => import('./registries-page.vue'),
      meta: { title: 'extensions.registries.title', icon: 'store' },
    },
    {
      path: '/extensions/publishers',
      component: () => import('./publishers-page.vue'),
      meta: { title: 'extensions.publishers.title', icon: 'shield-check' },
    },
    {
      path: '/extensions/bisect',
      component: () => import('./bisect-page.vue'),
      meta: { title: 'extensions.bisect.title', icon: 'split' },
    },
    {
      path: '/extensions/available/:registry/:name',
      component: () => import('./available-page.vue'),
      meta: { title: 'extensions.one' },
    },
    {
      path: '/extensions/:id',
      component: () => import('./extension-page.vue'),
      meta: { title: 'extensions.one' },
    },
  ],
})
