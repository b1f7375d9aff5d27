import type { RouteRecordRaw } from 'vue-router'

const meta = {
  area: 'customers',
  title: 'imports.new',
  icon: 'upload',
  needs: ['imports.read' as const],
  tab: (route: { path: string }) => route.path,
}

/** The import wizard. Its place carries the import's id, so it survives a reload. */
export const importRoutes: RouteRecordRaw[] = [
  { path: '/import', redirect: '/imports/new' },
  { path: '/imports', redirect: '/imports/new' },
  { path: '/imports/new', component: () => import('./import-page.vue'), meta },
  { path: '/imports/:id', component: () => import('./import-page.vue'), meta },
]
