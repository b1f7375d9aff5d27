import {
  AppIcon,
  ErrorCallout,
  getCustomer,
  LoadingSkeleton,
  queryKeys,
  toast,
  useLocalized,
} from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { computed, h } from 'vue'
import { texts } from './texts.js'

export const stylesheets = ['./card.css']

/** A greeting for the customer beside whom it stands, to be copied. */
export default {
  props: { view: String, customerId: Number },
  setup(props) {
    const localized = useLocalized()
    // The key that the admin's pages use: what they know already is shown at once.
    const query = useQuery({
      queryKey: computed(() => queryKeys.customer(props.customerId)),
      queryFn: ({ signal }) => getCustomer(props.customerId, signal),
      enabled: computed(() => props.customerId !== null),
    })
    const greeting = computed(() => localized(texts.greeting).replace('{name}', query.data.value?.name ?? ''))
    async function copy() {
      await navigator.clipboard.writeText(greeting.value)
      toast({ kind: 'success', title: localized(texts.copied) })
    }
    return () => {
      if (query.error.value) return h(ErrorCallout, { error: query.error.value, retry: query.refetch })
      if (!query.data.value) return h(LoadingSkeleton)
      return h('div', { class: 'greeting-card' }, [
        h('p', greeting.value),
        h('button', { class: 'btn', type: 'button', onClick: copy }, [
          h(AppIcon, { name: 'copy', size: 14 }),
          localized(texts.copy),
        ]),
      ])
    }
  },
}
