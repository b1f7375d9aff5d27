import {
  createTemplate,
  deleteTemplate,
  getTemplate,
  saveTemplate,
  type TemplateInput,
  useSettings,
} from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'

type Draft = Pick<TemplateInput, 'name' | 'channel' | 'defaultLocale'> & {
  variants: Record<string, Record<string, unknown>>
}

/** The template of the page's address, as it is typed; a new one where the address names none. */
export function useTemplateDraft() {
  const route = useRoute()
  const router = useRouter()
  const client = useQueryClient()
  const { data: settings } = useSettings()
  // The page stays alive in its tab while another is in front.
  const id = ref(route.params['id'] === undefined ? undefined : String(route.params['id']))
  const query = useQuery({
    queryKey: computed(() => ['templates', 'one', id.value ?? '']),
    queryFn: ({ signal }) => getTemplate(id.value ?? '', signal),
    enabled: computed(() => id.value !== undefined),
  })
  const draft = ref<Draft>({ name: '', channel: '', defaultLocale: 'zh-CN', variants: { 'zh-CN': {} } })
  const base = ref('')
  const dirty = computed(() => JSON.stringify(draft.value) !== base.value)
  const saving = ref(false)
  const failure = ref<unknown>()

  function take(saved: Draft) {
    const { name, channel, defaultLocale, variants } = saved
    draft.value = JSON.parse(JSON.stringify({ name, channel, defaultLocale, variants })) as Draft
    base.value = JSON.stringify(draft.value)
  }
  take(draft.value)
  watch(query.data, (saved) => saved && !dirty.value && take(saved as unknown as Draft), { immediate: true })
  watch(
    () => settings.value?.locale,
    (locale) => {
      if (locale === undefined || id.value !== undefined || dirty.value) return
      take({ ...draft.value, defaultLocale: locale, variants: { [locale]: {} } })
    },
    { immediate: true },
  )

  /** What a new one begins with; nobody typed it, so closing it loses nothing. */
  function begin(channel: string) {
    if (id.value !== undefined || draft.value.channel !== '') return
    if (dirty.value) draft.value.channel = channel
    else take({ ...draft.value, channel })
  }

  async function save(): Promise<boolean> {
    saving.value = true
    failure.value = undefined
    try {
      const input = draft.value as TemplateInput
      const saved = id.value === undefined ? await createTemplate(input) : await saveTemplate(id.value, input)
      take(saved as unknown as Draft)
      id.value = saved.id
      client.setQueryData(['templates', 'one', saved.id], saved)
      void client.invalidateQueries({ queryKey: ['templates'], exact: true })
      if (route.params['id'] !== saved.id) await router.replace(`/messages/templates/${saved.id}`)
      return true
    } catch (cause) {
      failure.value = cause
      return false
    } finally {
      saving.value = false
    }
  }

  async function remove(): Promise<boolean> {
    failure.value = undefined
    try {
      if (id.value !== undefined) await deleteTemplate(id.value)
      base.value = JSON.stringify(draft.value)
      await client.invalidateQueries({ queryKey: ['templates'], exact: true })
      return true
    } catch (cause) {
      failure.value = cause
      return false
    }
  }

  return { id, query, draft, dirty, saving, failure, begin, save, remove }
}
