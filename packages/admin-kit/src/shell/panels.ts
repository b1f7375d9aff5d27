import { useStorage } from '@vueuse/core'
import { computed, shallowReactive } from 'vue'

/** Whether the side bar stands open; people's choice, kept. */
export const sideOpen = useStorage('huitou.side', true)

/** Whether the details panel stands open when the page in front has one; people's choice, kept. */
export const detailsOpen = useStorage('huitou.details', true)

/** Panels of the page in front. */
export const detailPanels = shallowReactive(new Set<symbol>())

export const hasDetails = computed(() => detailPanels.size > 0)
