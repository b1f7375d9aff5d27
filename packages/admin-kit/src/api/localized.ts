/** A text in both languages, as the API sends it. */
export type Localized = { readonly en: string; readonly 'zh-CN': string }

/** Value types the API names; `money` is minor units, `time` epoch milliseconds, `percent` a share from 0 to 1. */
export type ValueType =
  | 'text'
  | 'number'
  | 'integer'
  | 'money'
  | 'time'
  | 'boolean'
  | 'label'
  | 'percent'
  | 'duration'
