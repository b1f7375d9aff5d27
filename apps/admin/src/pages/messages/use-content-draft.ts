import { checkContent, type Content, previewContent } from '@huitou/admin-kit'
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { refDebounced } from '@vueuse/core'
import { computed, type Ref } from 'vue'

export interface ContentDraft {
  channel: string
  content: Record<string, unknown>
  template: string | undefined
  /** Events that the message answers; undefined when that is open. */
  events: string[] | undefined
  /** Event that the preview is read after. */
  triedEvent: string | undefined
  customerId: number | undefined
  locale: string | undefined
}

/** Mistakes and preview of what is being written, a moment after the last letter. */
export function useContentDraft(draft: Ref<ContentDraft>) {
  const text = computed(() => JSON.stringify(draft.value))
  const settled = refDebounced(text, 350)
  const asked = computed(() => JSON.parse(settled.value) as ContentDraft)
  const check = useQuery({
    queryKey: computed(() => ['content-check', settled.value]),
    queryFn: ({ signal }) => {
      const { channel, content, events } = asked.value
      return checkContent({ channel, content: content as Content, ...(events ? { events } : {}) }, signal)
    },
    enabled: computed(() => asked.value.channel !== '' && asked.value.template === undefined),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
  const preview = useQuery({
    queryKey: computed(() => ['content-preview', settled.value]),
    queryFn: ({ signal }) => {
      const { channel, content, template, triedEvent, customerId, locale } = asked.value
      return previewContent(
        {
          channel,
          content: content as Content,
          ...(template === undefined ? {} : { template }),
          ...(triedEvent === undefined ? {} : { event: triedEvent }),
          ...(customerId === undefined ? {} : { customerId }),
          ...(locale === undefined ? {} : { locale }),
        },
        signal,
      )
    },
    enabled: computed(() => asked.value.channel !== ''),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    retry: false,
  })
  return {
    mistakes: computed(() => (draft.value.template === undefined ? (check.data.value?.mistakes ?? []) : [])),
    preview: preview.data,
    busy: computed(() => settled.value !== text.value || preview.isFetching.value),
  }
}
