import { pickLanguage, useFormat } from '@huitou/admin-kit'
import type { CollectionField, RecordNames } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'

const NOTHING = '–'

/** Says values of fields in the reader's language. */
export function useFieldText() {
  const { t, locale } = useI18n()
  const format = useFormat()

  /** A value as people read it; names come with the records. */
  function textOf(field: CollectionField, value: unknown, names?: RecordNames): string {
    if (value === undefined || value === null || value === '') return NOTHING
    switch (field.kind) {
      case 'choice':
        return titleOfChoice(field, value)
      case 'boolean':
        return t(value ? 'kit.yes' : 'kit.no')
      case 'integer':
      case 'number':
        return field.choices ? titleOfChoice(field, value) : format.number(Number(value), { decimals: 2 })
      case 'money':
        return format.money(Number(value))
      case 'time':
        return format.dateTime(Number(value))
      case 'datetime':
        return format.dateTime(Date.parse(String(value)))
      case 'customer':
        return names?.customers[String(value)] ?? `#${String(value)}`
      case 'record':
        return names?.records[field.name]?.[String(value)] ?? t('pluginViews.gone')
      case 'json':
        return structureText(value)
      default:
        return String(value)
    }
  }

  function titleOfChoice({ choices }: CollectionField, value: unknown): string {
    const choice = choices?.find((each) => each.value === value)
    return choice ? pickLanguage(choice.title, locale.value) : String(value)
  }

  function structureText(value: unknown): string {
    if (!Array.isArray(value)) return JSON.stringify(value)
    const plain = value.every((each) => typeof each !== 'object')
    if (value.length === 0) return NOTHING
    return plain
      ? value.join(locale.value.startsWith('zh') ? '、' : ', ')
      : t('pluginViews.entries', { n: value.length })
  }

  return { textOf, isNothing: (text: string) => text === NOTHING }
}
