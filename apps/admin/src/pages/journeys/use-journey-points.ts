import { useLocalized } from '@huitou/admin-kit'
import { getJourneyPoints, listJourneyChannels, listJourneyTexts } from '@huitou/admin-kit/api/journeys.ts'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'

/** Channels, actions, conditions, festivals and message templates that a journey may use, with their titles. */
export function useJourneyPoints() {
  const localized = useLocalized()
  const points = useQuery({
    queryKey: ['plugins', 'journey-points'],
    queryFn: ({ signal }) => getJourneyPoints(signal),
    staleTime: 5 * 60_000,
    retry: false,
  })
  const channelQuery = useQuery({
    queryKey: ['plugins', 'channels'],
    queryFn: ({ signal }) => listJourneyChannels(signal),
    staleTime: 5 * 60_000,
  })
  const templateQuery = useQuery({
    queryKey: ['templates'],
    queryFn: ({ signal }) => listJourneyTexts(signal),
    staleTime: 60_000,
    retry: false,
  })
  const channels = computed(() => channelQuery.data.value?.channels ?? [])
  const actions = computed(() => points.data.value?.actions ?? [])
  const conditions = computed(() => points.data.value?.conditions ?? [])
  const templates = computed(() => templateQuery.data.value?.templates ?? [])
  const festivals = computed(() => points.data.value?.festivals ?? [])
  const findChannel = (id: string) => channels.value.find((channel) => channel.id === id)
  const findCondition = (id: string) => conditions.value.find((condition) => condition.id === id)
  const findAction = (id: string) => actions.value.find((action) => action.id === id)

  return {
    actions,
    channels,
    conditions,
    festivals,
    templates,
    findAction,
    findChannel,
    findCondition,
    /** The id's last word where its plugin is away. */
    channelTitle: (id: string) => localized(findChannel(id)?.title) || lastWord(id),
    conditionTitle: (id: string) => localized(findCondition(id)?.title) || lastWord(id),
    actionTitle: (id: string) => localized(findAction(id)?.title) || lastWord(id),
    festivalTitle: (id: string) => localized(festivals.value.find((each) => each.id === id)?.title) || id,
    templateName: (id: string) => templates.value.find((template) => template.id === id)?.name ?? id,
  }
}

const lastWord = (id: string) => id.split(/[/.]/).at(-1) ?? id
