import { useStorage } from '@vueuse/core'
import { ref } from 'vue'

export type BottomPart = 'results' | 'people' | 'rehearsal' | 'mistakes' | 'versions'

/** What stands below the canvas. */
export const shownPart = ref<BottomPart>('results')

/** Whether it stands open; people's choice, kept. */
export const bottomOpen = useStorage('huitou.journeys.bottom', true)
