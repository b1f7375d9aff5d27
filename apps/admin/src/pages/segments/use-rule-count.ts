import { countSegment } from '@huitou/admin-kit'
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { refDebounced } from '@vueuse/core'
import { computed } from 'vue'
import type { Ref } from 'vue'
import { toCountableRule } from './rule-model.ts'
import type { Draft } from './rule-model.ts'
import { findProblem, findProblems } from './rule-problems.ts'
import type { RuleContext } from './rule-problems.ts'

/** Whom a rule under edit finds today, counted anew after each pause; sentences that are not whole yet are left out. */
export function useRuleCount(draft: Ref<Draft>, context: Ref<RuleContext>) {
  const problems = computed(() => findProblems(draft.value, context.value))
  const countable = computed(() =>
    toCountableRule(draft.value, (sentence) => findProblem(sentence, context.value) === undefined),
  )
  const asked = refDebounced(countable, 300)
  const count = useQuery({
    queryKey: computed(() => ['segments', 'count', asked.value.rule]),
    queryFn: async ({ signal }) => ({
      answer: await countSegment(asked.value.rule, signal),
      ids: asked.value.sentenceIds,
    }),
    enabled: computed(() => asked.value.sentenceIds.length > 0),
    placeholderData: keepPreviousData,
    retry: false,
  })
  const counted = computed(() => (asked.value.sentenceIds.length > 0 ? count.data.value?.answer : undefined))
  /** Customers left after each sentence of the first level, by its id. */
  const remaining = computed(() => {
    const found = new Map<string, number>()
    for (const step of counted.value?.steps ?? []) {
      const places = step.path.match(/\d+/g) ?? []
      const sentenceId = places.length === 1 ? count.data.value?.ids[Number(places[0])] : undefined
      if (sentenceId) found.set(sentenceId, step.count)
    }
    return found
  })
  return { problems, count, counted, remaining, rule: computed(() => asked.value.rule) }
}
