import { createSegment, getSegment, queryKeys, saveSegment } from '@huitou/admin-kit'
import type { Segment } from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref, watch } from 'vue'
import type { Ref } from 'vue'
import { sameRule, toDraft, toRule } from './rule-model.ts'
import type { Draft, Rule } from './rule-model.ts'
import type { RuleContext } from './rule-problems.ts'
import { useRuleCount } from './use-rule-count.ts'

export interface SegmentDraftOptions {
  /** Undefined for a segment that is not saved yet. */
  id: Ref<string | undefined>
  context: Ref<RuleContext>
  /** Rule to begin a new segment with. */
  initial?: Rule | undefined
}

/** A segment under edit: what is stored, what was changed, what it counts, and saving it. */
export function useSegmentDraft({ id, context, initial }: SegmentDraftOptions) {
  const client = useQueryClient()
  const stored = useQuery({
    queryKey: computed(() => queryKeys.segment(id.value ?? '')),
    queryFn: ({ signal }) => getSegment(id.value!, signal),
    enabled: computed(() => id.value !== undefined),
  })
  const segment = computed(() => (id.value === undefined ? undefined : stored.data.value))
  const name = ref('')
  const draft = ref<Draft>(toDraft(initial)) as Ref<Draft>
  const storedRule = computed<Rule>(() => segment.value?.rule ?? { all: [] })
  const changed = computed(
    () => name.value !== (segment.value?.name ?? '') || !sameRule(toRule(draft.value), storedRule.value),
  )
  const created = ref(false)
  const dirty = computed(() =>
    id.value === undefined
      ? !created.value && draft.value.sentences.length > 0
      : segment.value !== undefined && changed.value,
  )

  // What the server has arrives again and again; it may only replace what nobody has touched.
  let untouched: string | undefined
  watch(
    segment,
    (now) => {
      const touched = untouched !== undefined && untouched !== fingerprint(name.value, toRule(draft.value))
      if (!now || touched) return
      const same = untouched !== undefined && sameRule(toRule(draft.value), now.rule ?? { all: [] })
      name.value = now.name
      if (!same) draft.value = toDraft(now.rule ?? undefined)
      untouched = fingerprint(now.name, toRule(draft.value))
    },
    { immediate: true },
  )

  /** Stores what stands on the screen and returns the stored segment. */
  async function save(): Promise<Segment> {
    const body = { name: name.value.trim(), rule: toRule(draft.value) }
    const saved = id.value === undefined ? await createSegment(body) : await saveSegment(id.value, body)
    untouched = fingerprint(body.name, body.rule)
    created.value = true
    client.setQueryData(queryKeys.segment(saved.id), saved)
    void client.invalidateQueries({ queryKey: queryKeys.segments })
    return saved
  }

  function revert() {
    name.value = segment.value?.name ?? ''
    draft.value = toDraft(storedRule.value)
    untouched = fingerprint(name.value, toRule(draft.value))
  }

  return {
    stored,
    segment,
    name,
    draft,
    dirty,
    ...useRuleCount(draft, context),
    save,
    revert,
  }
}

function fingerprint(name: string, rule: Rule): string {
  return JSON.stringify([name, rule])
}
