import { useMay } from '@huitou/admin-kit'
import { computed } from 'vue'
import { useRouter } from 'vue-router'
import { areas } from '../areas.ts'
import type { Area } from './area.ts'

/** Areas that who is signed in may see, each with the first of its places that opens for them. */
export function useAreas() {
  const may = useMay()
  const router = useRouter()
  const opens = (path: string) => {
    const { needs } = router.resolve(path).meta
    return needs === undefined || may(...needs)
  }
  function entrance(area: Area): string {
    if (opens(area.path)) return area.path
    const other = area.routes.find(({ path }) => !path.includes(':') && opens(path))
    return other?.path ?? area.path
  }
  const shown = computed(() =>
    areas
      .filter(({ needs }) => needs === undefined || may(...needs))
      .map((area) => ({ ...area, path: entrance(area) })),
  )
  /** The side bar of an area, for those who may see it. */
  function sideOf(area: Area | undefined): Area['side'] {
    return area && (area.needs === undefined || may(...area.needs)) ? area.side : undefined
  }
  return { shown, opens, sideOf }
}
