import { toServerTime, useSettings } from '@huitou/admin-kit'
import { formatDate } from '@huitou/admin-kit/format/time.ts'
import { useIntervalFn, useNow } from '@vueuse/core'
import { computed } from 'vue'

/** Today where the brand is, `YYYY-MM-DD`. */
export function useToday() {
  const settings = useSettings()
  const now = useNow({ scheduler: (tick) => useIntervalFn(tick, 60_000) })
  return computed(() =>
    formatDate(toServerTime(now.value), {
      locale: 'en',
      timeZone: settings.data.value?.timeZone ?? 'Asia/Shanghai',
    }),
  )
}
