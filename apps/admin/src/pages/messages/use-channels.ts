import { listChannels, queryKeys, useLocalized } from '@huitou/admin-kit'
import type { Channel } from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

/** The channels there are, and what to call them and their accounts. */
export function useChannels() {
  const { t } = useI18n()
  const localized = useLocalized()
  const query = useQuery({
    queryKey: queryKeys.channels,
    queryFn: ({ signal }) => listChannels(signal),
    staleTime: 30_000,
  })
  const channels = computed<Channel[]>(() => query.data.value?.channels ?? [])
  const findChannel = (id: string) => channels.value.find((channel) => channel.id === id)

  return {
    query,
    channels,
    findChannel,
    /** A channel whose extension is away goes by its id. */
    channelName: (id: string) =>
      id === '*' ? t('messages.allChannels') : localized(findChannel(id)?.title) || id,
    channelIcon: (id: string) => findChannel(id)?.icon ?? 'send',
    accountName: (channel: string, id: string) => {
      const account = findChannel(channel)?.accounts.find((one) => one.id === id)
      if (!account) return id
      return account.id.startsWith('default:') ? t('messages.defaultAccount') : account.name
    },
  }
}
