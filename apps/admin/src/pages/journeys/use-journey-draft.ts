import { ApiError } from '@huitou/admin-kit'
import { checkJourney, getJourney, saveJourney } from '@huitou/admin-kit/api/journeys.ts'
import type { Journey, JourneyDefinition, JourneyMistake } from '@huitou/admin-kit/api/journeys.ts'
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/vue-query'
import { refDebounced, useDebounceFn, useEventListener } from '@vueuse/core'
import { computed, ref, shallowRef, watch } from 'vue'
import type { Ref } from 'vue'
import { dropKept, keep, readKept } from './kept-draft.ts'
import { useHistory } from './use-history.ts'
import { journeyKeys } from './use-journeys.ts'

/** `held`: something is missing that a stored draft must have; `away`: no answer; `conflict`: somebody else changed it. */
export type SaveState = 'saved' | 'typing' | 'saving' | 'held' | 'away' | 'conflict' | 'failed'

const PAUSE = 700
const RETRY = 5_000

/**
 * A journey under edit: what is stored, what was changed since, undo and redo, and the mistakes. Changes are stored by
 * themselves after a pause; until they are, they are kept on this device as well.
 */
export function useJourneyDraft(id: Ref<string>) {
  const client = useQueryClient()
  const stored = useQuery({
    queryKey: computed(() => journeyKeys.one(id.value)),
    queryFn: ({ signal }) => getJourney(id.value, signal),
    staleTime: 5_000,
  })
  const { present: definition, begin: beginHistory, ...edits } = useHistory<JourneyDefinition>(() => change())
  const name = ref('')
  const saving = ref<SaveState>('saved')
  const malformed = ref<JourneyMistake[]>([])
  const failure = shallowRef<unknown>()
  const accept = (journey: Journey) => acceptInto(client, journey)
  /** The stored draft that the edits began with. */
  let base: Journey | undefined

  const mark = () => fingerprint(name.value, definition.value)
  const markOf = (journey: Journey) => fingerprint(journey.name, journey.draft)
  const changed = computed(() => base !== undefined && saving.value !== 'saved' && mark() !== markOf(base))
  const rename = (text: string) => ((name.value = text), change())

  const store = oneByOne(send)
  const storeSoon = useDebounceFn(() => store(), PAUSE)

  watch(
    () => stored.data.value,
    (journey) => {
      if (!journey) return
      if (!base) return begin(journey)
      // What somebody else stored may only replace what nobody here has touched.
      const isTouched = mark() !== markOf(base)
      const isSame = mark() === markOf(journey)
      if (!isTouched || isSame) base = journey
      if (!isTouched && !isSame) take(journey)
    },
    { immediate: true },
  )

  function begin(journey: Journey) {
    base = journey
    const kept = readKept(journey.id)
    if (!kept || fingerprint(kept.name, kept.definition) === markOf(journey)) return begun(journey)
    name.value = kept.name
    beginHistory(journey.draft, kept.definition)
    if (kept.basedOn === journey.updatedAt) change()
    else saving.value = 'conflict'
  }

  function begun(journey: Journey) {
    dropKept(journey.id)
    take(journey)
  }

  function take(journey: Journey) {
    name.value = journey.name
    beginHistory(journey.draft)
    saving.value = 'saved'
    malformed.value = []
  }

  function change() {
    if (!base || !definition.value) return
    keep(base.id, { name: name.value, definition: definition.value, basedOn: base.updatedAt })
    if (saving.value === 'conflict') return
    saving.value = 'typing'
    void storeSoon()
  }

  /** Stores what stands on the screen now. True when it is stored. */
  async function send(): Promise<boolean> {
    if (!base || !definition.value) return false
    if (saving.value === 'saved') return true
    if (saving.value === 'conflict') return false
    const sent = { name: name.value.trim() || base.name, definition: definition.value }
    saving.value = 'saving'
    try {
      const journey = await saveJourney(base.id, { ...sent, basedOn: base.updatedAt })
      base = journey
      malformed.value = []
      failure.value = undefined
      accept(journey)
      void client.invalidateQueries({ queryKey: journeyKeys.all, exact: true })
      if (sent.definition === definition.value && sent.name === (name.value.trim() || base.name)) {
        saving.value = 'saved'
        dropKept(journey.id)
        return true
      }
      change()
      return false
    } catch (error) {
      refused(error)
      return false
    }
  }

  /** Goes on with a draft that the server made of this one; the edits before it can still be undone. */
  function adopt(journey: Journey) {
    base = journey
    accept(journey)
    edits.edit(journey.draft)
  }

  function refused(error: unknown) {
    failure.value = error
    saving.value = stateAfter(error)
    if (saving.value === 'held') malformed.value = mistakesOf(error)
    if (saving.value === 'away') setTimeout(() => saving.value === 'away' && void store(), RETRY)
  }

  /** Ends a conflict: with what stands here, or with what somebody else stored. */
  async function settle(whose: 'mine' | 'theirs') {
    const { data } = await stored.refetch()
    if (!data) return
    base = data
    if (whose === 'theirs') return begun(data)
    saving.value = 'typing'
    await store()
  }

  askBeforeLeaving(changed)

  return {
    ...edits,
    ...useMistakes({ definition, malformed }),
    ...{ stored, journey: computed(() => stored.data.value), name, definition },
    ...{ saving, failure, changed, rename, store, settle, adopt },
  }
}

/** What the journey was made of is only told when it is read, and stays. */
function acceptInto(client: QueryClient, journey: Journey): void {
  client.setQueryData<Journey>(journeyKeys.one(journey.id), (before) => ({ ...before, ...journey }))
}

/** Each run begins when the one before is over: what it stores builds on what that one stored. */
function oneByOne<T>(work: () => Promise<T>): () => Promise<T> {
  let before: Promise<unknown> = Promise.resolve()
  return () => {
    const own = before.then(work)
    before = own
    return own
  }
}

function askBeforeLeaving(changed: Ref<boolean>): void {
  useEventListener(window, 'beforeunload', (event) => {
    if (changed.value) event.preventDefault()
  })
}

function stateAfter(error: unknown): SaveState {
  const code = error instanceof ApiError ? error.code : ''
  if (code === 'E_JOURNEY') return 'held'
  if (code === 'E_JOURNEY_CHANGED') return 'conflict'
  return code === 'E_OFFLINE' ? 'away' : 'failed'
}

/** What keeps the definition on the screen from being published, asked after each pause. */
function useMistakes({
  definition,
  malformed,
}: {
  definition: Ref<JourneyDefinition | undefined>
  malformed: Ref<JourneyMistake[]>
}) {
  const client = useQueryClient()
  const asked = refDebounced(definition, 500)
  const checkOf = (checked: JourneyDefinition | undefined) => ({
    queryKey: ['journeys', 'check', checked],
    queryFn: ({ signal }: { signal: AbortSignal }) => checkOrExplain(checked, signal),
    retry: false,
    gcTime: 30_000,
  })
  const query = useQuery(
    computed(() => ({
      ...checkOf(asked.value),
      enabled: asked.value !== undefined,
      placeholderData: (before: { mistakes: JourneyMistake[] } | undefined) => before,
    })),
  )
  const mistakes = computed(() => query.data.value?.mistakes ?? malformed.value)

  /** The mistakes of what stands on the screen now, which may be newer than what was checked last. */
  async function findMistakes(): Promise<JourneyMistake[]> {
    const { mistakes: found } = await client.fetchQuery({ ...checkOf(definition.value), staleTime: 5_000 })
    return found
  }
  return { mistakes, findMistakes, checking: query.isFetching }
}

/** A definition too malformed to be checked says itself where. */
async function checkOrExplain(definition: JourneyDefinition | undefined, signal: AbortSignal) {
  try {
    return await checkJourney(definition, signal)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'E_JOURNEY') return { mistakes: mistakesOf(error) }
    throw error
  }
}

function mistakesOf(error: unknown): JourneyMistake[] {
  const details = error instanceof ApiError ? error.problem.details : undefined
  return (details?.['mistakes'] as JourneyMistake[] | undefined) ?? []
}

function fingerprint(name: string, definition: JourneyDefinition | undefined): string {
  return JSON.stringify([name, sorted(definition)])
}

/** The server may give properties back in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}
