import { useFormat } from '@huitou/admin-kit'
import type { Delivery, DeliveryDetails } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'
import { toDraft } from '../segments/rule-model.ts'
import { useRuleWords } from '../segments/use-rule-words.ts'
import { useChannels } from './use-channels.ts'

type Event = DeliveryDetails['history'][number]
type Choice = NonNullable<Delivery['choice']>
type Facts = Record<string, unknown> | null

/** Says in the reader's language what became of a message and why. */
export function useDeliveryWords() {
  const { t, te } = useI18n()
  const format = useFormat()
  const { channelName } = useChannels()
  const rules = useRuleWords()

  /** Name of a guard or another reason, for lists and filters. */
  function reasonTitle(reason: string): string {
    const key = `messages.reasons.${reason}.title`
    return te(key) ? t(key) : reason
  }

  /** The reason as a sentence, with its figures where there are any. */
  function why(reason: string | null, details: Facts): string {
    if (!reason) return ''
    const facts = details ?? {}
    const because = facts['because']
    if (reason === 'expired' && typeof because === 'string' && te(`messages.expired.${because}`))
      return t(`messages.expired.${because}`)
    const named: Record<string, string> = {}
    for (const [name, value] of Object.entries(facts)) {
      if (typeof value === 'string') named[name] = value
      if (typeof value === 'number')
        named[name] = name === 'until' || name === 'at' ? format.dateTime(value) : format.number(value)
    }
    const full = `messages.reasons.${reason}.full`
    const plain = `messages.reasons.${reason}.text`
    if (te(full) && wanted[reason]?.every((name) => name in named)) return t(full, named)
    return te(plain) ? t(plain) : [reasonTitle(reason), named['message']].filter(Boolean).join(' ')
  }

  /** Which of several channels came first, and why; empty when it was decided nowhere. */
  function chosen(choice: Choice | null): string {
    if (!choice) return ''
    if (choice.by === 'planned') return t('messages.choice.planned')
    const channel = channelName(choice.channel)
    if (choice.by === 'best') {
      const rate = format.percent(choice.rate)
      return t('messages.choice.best', { channel, rate, n: format.number(choice.sent) })
    }
    const draft = toDraft(choice.rule)
    const words = draft.sentences.map(rules.sentenceText).join(t(`segments.joined.${draft.join}`))
    const why = choice.name || words || t('messages.policy.choiceEverybody')
    return t('messages.choice.rule', { channel, why })
  }

  /** One step of a delivery's history. */
  function happened({ kind, reason, details }: Event): { title: string; text: string } {
    const key = `messages.history.${kind}`
    const state = `messages.states.${kind}`
    const title = te(key) ? t(key) : te(state) ? t(state) : kind
    if (kind === 'rerouted' && details)
      return {
        title: t('messages.history.reroutedTo', { channel: channelName(String(details['to'])) }),
        text: why(reason, null),
      }
    if (kind === 'chosen' && details) return { title, text: chosen(details as Choice) }
    const told = [details?.['detail'], details?.['message']].find((one) => typeof one === 'string')
    const text = why(reason, details)
    return { title, text: text || (told as string | undefined) || '' }
  }

  return { reasonTitle, why, happened, chosen, stateName: (state: string) => t(`messages.states.${state}`) }
}

/** Figures without which a full sentence would have holes. */
const wanted: Record<string, string[]> = {
  cap_day: ['used', 'limit'],
  cap_week: ['used', 'limit'],
  cap_channel_day: ['used', 'limit'],
  budget: ['budget', 'used', 'limit'],
  fatigue: ['unopened', 'until'],
  content: ['problem'],
  provider: ['code', 'message'],
  attempts: ['code', 'message'],
  retry: ['message'],
  no_answer: ['message'],
}
