import { defineArea } from '../../shell/area.ts'

export const customersArea = defineArea({
  id: 'customers',
  icon: 'users',
  path: '/customers',
  needs: ['customers.read'],
  side: () => import('./customers-side.vue'),
  routes: [
    { path: '/customers', component: () => import('./customer-list.vue') },
    {
      path: '/customers/:id',
      component: () => import('./customer-page.vue'),
      meta: { icon: 'user', title: 'customers.customer' },
    },
  ],
})
