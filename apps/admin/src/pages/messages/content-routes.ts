import type { RouteRecordRaw } from 'vue-router'

/** Templates of messages, within the area of messages. */
export const contentRoutes: RouteRecordRaw[] = [
  {
    path: '/messages/templates',
    component: () => import('./content-templates.vue'),
    meta: { title: 'content.templates', icon: 'file-text' },
  },
  {
    path: '/messages/templates/new',
    component: () => import('./content-template-page.vue'),
    meta: { title: 'content.newTemplate', icon: 'file-text', needs: ['content.write'] },
  },
  {
    path: '/messages/templates/:id',
    component: () => import('./content-template-page.vue'),
    meta: { title: 'content.template', icon: 'file-text' },
  },
]
