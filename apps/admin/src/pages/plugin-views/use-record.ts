import {
  ApiError,
  deleteRecords,
  getRecord,
  insertRecord,
  queryKeys,
  toast,
  toastError,
  undeleteRecords,
  updateRecord,
} from '@huitou/admin-kit'
import type { Collection } from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref, shallowRef, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { changesOf } from './record-model.ts'

/** One record: reading, saving with the version it was read at, deleting with a way back. */
export function useRecord(
  collection: MaybeRefOrGetter<Collection | undefined>,
  id: MaybeRefOrGetter<string | undefined>,
) {
  const { t } = useI18n()
  const client = useQueryClient()
  const saving = ref(false)
  const failure = shallowRef<unknown>()
  /** From the moment that it is deleted there is nothing to be read about it. */
  const gone = ref(false)
  const isNew = computed(() => toValue(id) === 'new')
  const query = useQuery({
    queryKey: computed(() => queryKeys.records(toValue(collection)?.id ?? '', toValue(id))),
    queryFn: ({ signal }) => getRecord(toValue(collection)!.id, toValue(id)!, signal),
    enabled: computed(
      () => toValue(collection) !== undefined && toValue(id) !== undefined && !isNew.value && !gone.value,
    ),
    retry: false,
  })
  const record = computed(() => (isNew.value ? undefined : query.data.value?.record))
  const refresh = () => client.invalidateQueries({ queryKey: queryKeys.records(toValue(collection)!.id) })

  /** Saves and returns the record's id; undefined when the server refused, which `failure` says. */
  async function save(data: Record<string, unknown>): Promise<string | undefined> {
    const own = toValue(collection)!
    const before = record.value
    saving.value = true
    failure.value = undefined
    try {
      const answer = before
        ? await updateRecord(own.id, before.id, {
            data: changesOf(before.data, data),
            version: before.version,
          })
        : await insertRecord(own.id, data)
      client.setQueryData(queryKeys.records(own.id, answer.record.id), answer)
      await refresh()
      return answer.record.id
    } catch (error) {
      failure.value = error
      // Somebody was faster: what there is now is shown, and what was typed stays in the form.
      if (error instanceof ApiError && error.code === 'E_CONFLICT') void query.refetch()
      return undefined
    } finally {
      saving.value = false
    }
  }

  /** Deletes, and offers to take it back for a while. */
  async function remove(ids: string[]): Promise<boolean> {
    const own = toValue(collection)!
    gone.value = ids.includes(toValue(id) ?? '')
    try {
      const { deleted } = await deleteRecords(own.id, ids)
      toast({
        kind: 'success',
        title: t('pluginViews.deleted', { n: deleted ?? 0 }),
        action: {
          label: t('pluginViews.undo'),
          run: async () => {
            await undeleteRecords(own.id, ids).catch((error: unknown) =>
              toastError(error, t('pluginViews.undoFailed')),
            )
            await refresh()
          },
        },
      })
      await refresh()
      return true
    } catch (error) {
      gone.value = false
      toastError(error, t('pluginViews.deleteFailed'))
      return false
    }
  }

  return { query, record, isNew, saving, failure, save, remove, refresh }
}
