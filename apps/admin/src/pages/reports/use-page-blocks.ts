import { useColumns, useLocalized } from '@huitou/admin-kit'
import { provideBlocks } from '@huitou/admin-kit/blocks/block-context.ts'
import { useRouter } from 'vue-router'
import { customersHref } from '../customers/customers-link.ts'

/** Gives the blocks of a page the words of label columns and the way to the customers behind a number. */
export function usePageBlocks(): void {
  const { findOption } = useColumns()
  const localized = useLocalized()
  const router = useRouter()
  provideBlocks(() => ({
    labelOf(column, value) {
      const option = findOption(column, value)
      if (!option) return undefined
      return { title: localized(option.title), color: option.color, group: groupTitle(option.group) }
    },
    customersHref,
    go: (href) => void router.push(href),
  }))

  /** A group is shown when it has words; a bare id is not for reading. */
  function groupTitle(group: unknown): string | undefined {
    return typeof group === 'object' && group !== null
      ? localized(group as { en: string; 'zh-CN': string })
      : undefined
  }
}
