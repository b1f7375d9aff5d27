import { customersArea } from './pages/customers/area.ts'
import { extensionsArea } from './pages/extensions/area.ts'
import { homeArea } from './pages/home/area.ts'
import { journeysArea } from './pages/journeys/area.ts'
import { importRoutes } from './pages/imports/routes.ts'
import { messagesArea } from './pages/messages/area.ts'
import { pluginViewsArea } from './pages/plugin-views/area.ts'
import { reportsArea } from './pages/reports/area.ts'
import { segmentsArea } from './pages/segments/area.ts'
import { settingsArea } from './pages/settings/area.ts'
import { workbenchArea } from './pages/workbench/area.ts'
import type { Area } from './shell/area.ts'

/** The activity bar, in its order. An area joins when its engine does. */
export const areas: Area[] = [
  homeArea,
  customersArea,
  segmentsArea,
  journeysArea,
  messagesArea,
  workbenchArea,
  reportsArea,
  extensionsArea,
  settingsArea,
]

/** Places that belong to an area but are built elsewhere. */
export const moreRoutes = [...importRoutes, ...pluginViewsArea.routes]

export function findArea(id: string | undefined): Area | undefined {
  return [...areas, pluginViewsArea].find((area) => area.id === id)
}
