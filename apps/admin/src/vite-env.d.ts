/// <reference types="vite/client" />
import 'vue-router'
import type { IconName, Permission } from '@huitou/admin-kit'

declare module 'vue-router' {
  interface RouteMeta {
    /** Area the place belongs to; decides the side bar. */
    area?: string
    /** Message key of the tab's first words, until the page says better ones. */
    title?: string
    icon?: IconName
    /** Who may do none of these is told so instead of being shown the place. */
    needs?: readonly Permission[] | undefined
    /** Tab the place lives in, when it is not one tab per path. */
    tab?: string | ((route: { path: string; params: Record<string, string | string[]> }) => string)
    /** Shown without the shell, to people who are not signed in. */
    bare?: boolean
  }
}
