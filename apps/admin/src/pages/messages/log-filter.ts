import { type DeliveryFilter, detailsOpen, serverNow } from '@huitou/admin-kit'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'

export const periods = ['24h', '7d', '30d', 'all'] as const
export type Period = (typeof periods)[number]
const names = ['state', 'reason', 'channel', 'journeyId', 'node', 'customerId'] as const
type Name = (typeof names)[number]

const HOUR = 3_600_000
const lengths: Record<Period, number | undefined> = {
  '24h': 24 * HOUR,
  '7d': 7 * 24 * HOUR,
  '30d': 30 * 24 * HOUR,
  all: undefined,
}

/** What of the log is shown, kept in the address, so that a view can be sent to somebody. */
export function useLogFilter() {
  const route = useRoute()
  const router = useRouter()
  const textOf = (name: string) => {
    const value = route.query[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const period = computed<Period>(() => periods.find((one) => one === textOf('period')) ?? '7d')
  const kind = computed(() => (textOf('kind') === 'action' ? ('action' as const) : ('message' as const)))
  const chosen = computed(() => Object.fromEntries(names.map((name) => [name, textOf(name)])))

  /** Begins on a full hour, so that looking again a moment later asks for the same. */
  const from = computed(() => {
    const length = lengths[period.value]
    return length === undefined ? undefined : Math.floor((serverNow() - length) / HOUR) * HOUR
  })
  const filter = computed<DeliveryFilter>(() => ({ kind: kind.value, from: from.value, ...chosen.value }))
  const isFiltered = computed(() => names.some((name) => chosen.value[name] !== undefined))

  function set(changes: Record<string, string | undefined>) {
    const query = { ...route.query, ...changes }
    for (const [name, value] of Object.entries(query)) if (!value) delete query[name]
    void router.replace({ path: route.path, query })
  }

  return {
    period,
    kind,
    filter,
    isFiltered,
    valueOf: (name: Name) => chosen.value[name] ?? '',
    set,
    clear: () => set(Object.fromEntries(names.map((name) => [name, undefined]))),
    opened: computed(() => textOf('delivery')),
    open(id: number | undefined) {
      set({ delivery: id?.toString() })
      // On a small screen the panel stays shut until somebody wants it.
      if (id !== undefined) detailsOpen.value = true
    },
  }
}
