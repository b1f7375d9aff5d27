import { ApiError, getMe, getSetup, type Me, queryKeys } from '@huitou/admin-kit'
import { createRouter, createWebHistory } from 'vue-router'
import type { RouteLocationNormalized } from 'vue-router'
import { areas, moreRoutes } from './areas.ts'
import { queryClient } from './query-client.ts'
import { hasChosenLocale, setLocale } from './i18n.ts'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    {
      path: '/sign-in',
      component: () => import('./pages/welcome/sign-in.vue'),
      meta: { bare: true, title: 'welcome.signIn' },
    },
    {
      path: '/welcome',
      component: () => import('./pages/welcome/owner-setup.vue'),
      meta: { bare: true, title: 'welcome.owner' },
    },
    {
      path: '/start',
      component: () => import('./pages/welcome/first-run.vue'),
      meta: { bare: true, title: 'welcome.start' },
    },
    ...areas.flatMap((area) => area.routes),
    ...moreRoutes,
    {
      path: '/:rest(.*)*',
      component: () => import('./shell/not-found.vue'),
      meta: { title: 'shell.notFound.title', icon: 'circle-help' },
    },
  ],
})

router.beforeEach(async (to) => {
  if (to.path === '/sign-in' || to.path === '/welcome') return true
  try {
    const me = await queryClient.ensureQueryData({ queryKey: queryKeys.me, queryFn: () => getMe() })
    const place = placeFor(me, to.path)
    if (place) return place
    if (me.locale && !hasChosenLocale()) await setLocale(me.locale.startsWith('en') ? 'en' : 'zh-CN', false)
    return true
  } catch (error) {
    // Without an answer the shell still opens: it says that the server is away and keeps trying.
    if (!(error instanceof ApiError) || error.status !== 401) return true
    return signedOutPlace(to)
  }
})

/** Elsewhere than asked: what somebody owes comes first, and who serves customers begins at their tasks. */
function placeFor(me: Me, path: string): string | undefined {
  if (me.owes) return path === '/settings/account' ? undefined : '/settings/account'
  return path === '/' && !me.permissions.includes('home.read') ? '/workbench' : undefined
}

async function signedOutPlace(to: RouteLocationNormalized) {
  const setup = await getSetup().catch(() => undefined)
  if (setup?.needsOwner) return '/welcome'
  return { path: '/sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
}
