import type { BlockData, CustomersBehind } from '@huitou/plugin-api'
import { computed, inject, provide, toValue } from 'vue'
import type { ComputedRef, InjectionKey, MaybeRefOrGetter } from 'vue'

export type { BlockData, CustomersBehind }

/** Title and colour of one value of a label column. */
export interface ValueLabel {
  title: string
  /** Token name such as `chart-1`. */
  color?: string | undefined
  group?: string | undefined
}

/** What blocks need to know of the page around them. */
export interface BlockContext {
  /** The words for a value of a column, when it is one of a known set. */
  labelOf?: (column: string, value: string) => ValueLabel | undefined
  /** Where the customers behind a number are listed; without it numbers are plain text. */
  customersHref?: (behind: CustomersBehind) => string
  /** Goes there without loading the page anew. */
  go?: (href: string) => void
}

const key: InjectionKey<ComputedRef<BlockContext>> = Symbol('blocks')

/** Tells all blocks below how to write figures and where their customers are. */
export function provideBlocks(context: MaybeRefOrGetter<BlockContext>): void {
  provide(
    key,
    computed(() => toValue(context)),
  )
}

/** The context of the nearest page; in a page that gave none, numbers lead nowhere. */
export function useBlocks(): ComputedRef<BlockContext> {
  return inject(key, () => computed(() => ({})), true)
}

/** Attributes for an element that leads to the customers behind a number, empty when nothing is behind it. */
export function useBehind() {
  const context = useBlocks()
  return {
    hrefOf: (behind: CustomersBehind | null | undefined) =>
      behind ? context.value.customersHref?.(behind) : undefined,
    /** Follows the link inside the app; leaves clicks that open another tab to the browser. */
    follow(event: MouseEvent, behind: CustomersBehind | null | undefined) {
      const href = behind ? context.value.customersHref?.(behind) : undefined
      if (!href || !context.value.go) return
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button > 0) return
      event.preventDefault()
      context.value.go(href)
    },
  }
}

/** CSS colour of a token name such as `chart-1`; the category colour at `index` without a name. */
export function seriesColor(name: string | undefined, index = 0): string {
  if (name) return name.startsWith('#') ? name : `var(--${name.replace(/^--/, '')})`
  return index < 8 ? `var(--chart-${index + 1})` : 'var(--chart-rest)'
}

/** True for a series that only stands for comparison and is drawn in grey. */
export function isComparison(series: { id: string; color?: string }): boolean {
  return (
    series.color === 'chart-rest' ||
    /^(previous|before|compare|last|hold_?out|control|rest|other)/.test(series.id)
  )
}
