import { checkImport, getImport, queryKeys, saveMapping, useRefreshJobs } from '@huitou/admin-kit'
import type { Import, ImportMapping } from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { useDebounceFn } from '@vueuse/core'
import { computed, ref, toValue, watch } from 'vue'
import type { MaybeRefOrGetter } from 'vue'

/** One import, asked again while the server works on it, with the mapping as it is being edited. */
export function useImport(id: MaybeRefOrGetter<string>) {
  const client = useQueryClient()
  const refreshJobs = useRefreshJobs()
  const key = computed(() => queryKeys.import(toValue(id)))
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => getImport(toValue(id), signal),
    enabled: computed(() => toValue(id) !== ''),
    refetchInterval: ({ state }) => (isBusy(state.data) ? 1_000 : false),
  })

  const mapping = ref<ImportMapping>()
  const saving = ref(false)
  const error = ref<unknown>()
  watch(
    () => query.data.value?.mapping,
    (saved) => {
      if (saved && !saving.value) mapping.value = toEditable(saved)
    },
    { immediate: true },
  )

  function put(next: Import | undefined) {
    if (next?.id) client.setQueryData(key.value, next)
    void client.invalidateQueries({ queryKey: queryKeys.imports, exact: false })
  }

  /** Runs a request that changes the import and takes over the answer. */
  async function change(action: () => Promise<unknown>) {
    error.value = undefined
    try {
      put((await action()) as Import | undefined)
      await refreshJobs()
    } catch (cause) {
      error.value = cause
    }
  }

  // Several choices in a row make one dry run.
  const saveSoon = useDebounceFn(async () => {
    if (!mapping.value) return
    const sent = mapping.value
    await change(async () => {
      await saveMapping(toValue(id), sent)
      return checkImport(toValue(id))
    })
    if (mapping.value === sent) saving.value = false
  }, 500)

  /** Takes over an edited mapping, and runs the file dry with it a moment later. */
  function edit(next: ImportMapping) {
    mapping.value = next
    saving.value = true
    void saveSoon()
  }

  return { ...query, mapping, saving, changeError: error, change, edit }
}

function isBusy(upload: Import | undefined): boolean {
  return upload?.state === 'checking' || upload?.state === 'importing'
}

/** The part that people edit; the server's view carries more. */
function toEditable({ format, fields, options }: ImportMapping): ImportMapping {
  return { format, fields: { ...fields }, options: { ...options } }
}
