import type { AuditEntry } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'

/** Details whose values are names of something that has words of its own. */
const NAMED: Readonly<Record<string, (value: string) => string>> = {
  role: (value) => `people.roles.${value}`,
  from: (value) => `people.roles.${value}`,
  to: (value) => `people.roles.${value}`,
  scopes: (value) => `people.permissions.${value.replace('.', '-')}`,
  changed: (value) => `people.audit.settings.${value}`,
  muted: (value) => `operations.rules.${value}`,
}

/** Says in words what the log says in names of actions and settings; what has no words stays as it is. */
export function useAuditWords() {
  const { t, te } = useI18n()
  const wordOr = (key: string, otherwise: string) => (/[\w-]$/.test(key) && te(key) ? t(key) : otherwise)
  const keyOf = (text: string) => text.replaceAll(/[^\w]+/g, '-')

  function valueWords(name: string, value: unknown): string {
    if (Array.isArray(value)) return value.map((each) => valueWords(name, each)).join(t('extensions.comma'))
    if (typeof value === 'object') return JSON.stringify(value)
    const text = String(value)
    const named = NAMED[name]?.(text)
    if (named !== undefined && te(named)) return t(named)
    return wordOr(`people.audit.values.${keyOf(text)}`, text)
  }

  return {
    actionWords: (action: string) => wordOr(`people.audit.actions.${action.replaceAll('.', '-')}`, action),
    /** `Changed: default language · …` */
    facts: ({ details }: Pick<AuditEntry, 'details'>) =>
      Object.entries(details)
        .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
        .map(([name, value]) =>
          t('people.audit.fact', {
            name: wordOr(`people.audit.names.${name}`, name),
            value: valueWords(name, value),
          }),
        )
        .join(' · '),
  }
}
