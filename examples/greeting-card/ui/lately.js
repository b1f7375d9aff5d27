import {
  ErrorCallout,
  LoadingSkeleton,
  queryKeys,
  searchCustomers,
  useFormat,
  useLocalized,
} from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { h } from 'vue'
import { RouterLink } from 'vue-router'
import { texts } from './texts.js'

const search = { sort: { column: 'last_seen_at', dir: 'desc' }, columns: ['last_seen_at'], limit: 10 }

/** The ten customers who were here last. */
export default {
  setup() {
    const localized = useLocalized()
    const { ago } = useFormat()
    const query = useQuery({
      queryKey: [...queryKeys.customers, 'greeting-card'],
      queryFn: ({ signal }) => searchCustomers(search, signal),
    })
    return () => {
      if (query.error.value) return h(ErrorCallout, { error: query.error.value, retry: query.refetch })
      if (!query.data.value) return h(LoadingSkeleton, { rows: 6 })
      const { rows } = query.data.value
      if (rows.length === 0) return h('p', { class: 'muted' }, localized(texts.nobody))
      return h(
        'ul',
        rows.map(({ id, name, columns }) =>
          h('li', { key: id }, [
            h(RouterLink, { to: `/customers/${id}` }, () => name),
            h('span', { class: 'muted' }, ` ${ago(columns.last_seen_at)}`),
          ]),
        ),
      )
    }
  },
}
