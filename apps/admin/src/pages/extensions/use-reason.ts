import type { Plugin } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'

/** Returns a function that says what an extension was activated for. */
export function useReason(): (plugin: Plugin) => string {
  const { t, te } = useI18n()
  return ({ running }) => {
    if (!running.reason) return '–'
    const [kind, ...rest] = running.reason.split(':')
    const key = `extensions.reasons.${kind}`
    return te(key) ? t(key, { what: rest.join(':') }) : running.reason
  }
}
