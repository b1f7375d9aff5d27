import { defineArea } from '../../shell/area.ts'
import { contentRoutes } from './content-routes.ts'

export const messagesArea = defineArea({
  id: 'messages',
  icon: 'mail',
  path: '/messages',
  needs: ['content.read'],
  side: () => import('./messages-side.vue'),
  routes: [
    ...contentRoutes,
    {
      path: '/messages',
      component: () => import('./log-page.vue'),
      meta: { title: 'messages.log.title', needs: ['messages.read'] },
    },
    {
      path: '/messages/dead',
      component: () => import('./dead-page.vue'),
      meta: { title: 'messages.dead.title', icon: 'circle-alert', needs: ['messages.manage'] },
    },
    {
      path: '/messages/policy',
      component: () => import('./policy-page.vue'),
      meta: { title: 'messages.policy.title', icon: 'shield-check', needs: ['policy.read'] },
    },
    {
      path: '/messages/channels',
      component: () => import('./channels-page.vue'),
      meta: { title: 'messages.channels.title', icon: 'plug', needs: ['channels.read'] },
    },
    {
      path: '/messages/sandbox',
      component: () => import('./sandbox-page.vue'),
      meta: { title: 'messages.sandbox.title', icon: 'eye', needs: ['messages.read'] },
    },
  ],
})
