import type { IconName, Permission } from '@huitou/admin-kit'
import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'

/** A place of the activity bar: its side bar and its pages. Words come from the locale file `<id>.json`, key `<id>.title`. */
export interface Area {
  id: string
  icon: IconName
  /** Where its button leads. */
  path: string
  /** Who may do none of these does not see it, and its pages say so. A route may name others. */
  needs?: readonly Permission[]
  /** Bottom of the bar instead of the top. */
  place?: 'top' | 'bottom'
  /** Content of the side bar; without one the side bar stays closed. */
  side?: () => Promise<Component | { default: Component }>
  routes: RouteRecordRaw[]
}

/** Types an area and puts its id into the meta of its routes. */
export function defineArea(area: Area): Area {
  const routes = area.routes.map((route) => ({
    ...route,
    meta: {
      icon: area.icon,
      title: `${area.id}.title`,
      needs: area.needs,
      ...route.meta,
      area: area.id,
    },
  })) as RouteRecordRaw[]
  return { ...area, routes }
}
