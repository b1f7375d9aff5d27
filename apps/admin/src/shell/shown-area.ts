import { computed } from 'vue'
import { findArea } from '../areas.ts'
import { router } from '../router.ts'

/** Area of the place in front. */
export const shownArea = computed(() => findArea(router.currentRoute.value.meta.area))
