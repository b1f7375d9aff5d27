import type { ReportContribution } from './contributions.ts'

/** One text in every language that Huitou speaks. */
export interface Texts {
  en: string
  'zh-CN': string
}

/** Keys under which a manifest holds text for people, at whatever depth; a report's `group` is one too. */
export const localizedKeys = ['title', 'description', 'unit', 'displayName', 'strategy'] as const

type LocalizedKey<Owner> =
  | (typeof localizedKeys)[number]
  | (Owner extends ReportContribution ? 'group' : never)

/** `T` with each text for people replaced by {@link Texts}; JSON Schemas inside keep their loose type. */
export type Localized<T> = T extends readonly (infer Item)[]
  ? Localized<Item>[]
  : T extends object
    ? { [Key in keyof T]: Key extends LocalizedKey<T> ? LocalizedMember<T[Key]> : Localized<T[Key]> }
    : T

type LocalizedMember<T> = T extends string ? Texts : Localized<T>
