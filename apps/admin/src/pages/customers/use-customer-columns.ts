import { useColumns, useLocalized } from '@huitou/admin-kit'
import type { Column } from '@huitou/admin-kit'
import type { DataColumn } from '@huitou/admin-kit/blocks/data-table.vue'
import { useStorage } from '@vueuse/core'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

/** Shown until somebody chooses otherwise, as far as they exist. */
const firstChoice = [
  'phone',
  't_phone',
  'rfm_segment',
  'commerce_orders',
  'commerce_spend',
  'commerce_last_order_at',
  't_city',
  'city',
]

/** Which columns a list of customers shows, kept on this device under `id`. */
export function useCustomerColumns(id: string) {
  const { t } = useI18n()
  const localized = useLocalized()
  const { columns, findColumn } = useColumns()
  const stored = useStorage<string[]>(`huitou.columns.${id}`, [])

  const chosen = computed<string[]>({
    get() {
      const known = stored.value.filter((name) => findColumn(name))
      if (known.length > 0) return known
      const first = firstChoice.filter((name) => findColumn(name))
      return first.length > 0
        ? first
        : columns.value
            .filter((column) => !nameColumns.has(column.name))
            .slice(0, 6)
            .map((column) => column.name)
    },
    set: (names) => void (stored.value = names),
  })

  const shown = computed<DataColumn[]>(() => [
    { id: '$name', title: t('customers.customer'), type: 'text', sortable: false, width: 196 },
    ...chosen.value.flatMap((name): DataColumn[] => {
      const column = findColumn(name)
      return column
        ? [
            {
              id: name,
              title: localized(column.title),
              type: column.type,
              width: widthOf(column, localized(column.title)),
              sortable: !column.pii,
            },
          ]
        : []
    }),
  ])

  function toggle(name: string) {
    chosen.value = chosen.value.includes(name)
      ? chosen.value.filter((one) => one !== name)
      : [...chosen.value, name]
  }

  return { chosen, shown, toggle }
}

const nameColumns = new Set(['name', 't_name', 'customer_id', 'key'])

/** Wide enough for the title: twelve pixels a Chinese character, seven a Latin one. */
function widthOf(column: Column, title: string): number {
  const letters = [...title].reduce((sum, letter) => sum + (letter.codePointAt(0)! > 0x2e7f ? 12 : 7), 34)
  const least = column.type === 'label' ? 140 : column.type === 'text' || column.type === 'time' ? 112 : 84
  return Math.min(180, Math.max(least, letters))
}
