import type { CommandContribution } from './commands.ts'
import type { ReportContribution } from './contributions.ts'
import type { JourneyContribution, ScriptText, TemplateText } from './journeys.ts'

/** One text in every language that Huitou speaks. */
export interface Texts {
  en: string
  'zh-CN': string
}

/** Keys under which a manifest holds text for people, at whatever depth; some contributions have one more. */
export const localizedKeys = ['title', 'description', 'unit', 'displayName', 'strategy'] as const

type LocalizedKey<Owner> =
  | (typeof localizedKeys)[number]
  | (Owner extends ReportContribution | JourneyContribution ? 'group' : never)
  | (Owner extends CommandContribution ? 'category' : never)
  | (Owner extends JourneyContribution ? 'expected' : never)
  | (Owner extends ScriptText | TemplateText ? 'text' : never)

/** `T` with each text for people replaced by {@link Texts}; JSON Schemas inside keep their loose type. */
export type Localized<T> = T extends readonly (infer Item)[]
  ? Localized<Item>[]
  : T extends object
    ? { [Key in keyof T]: Key extends LocalizedKey<T> ? LocalizedMember<T[Key]> : Localized<T[Key]> }
    : T

type LocalizedMember<T> = T extends string ? Texts : Localized<T>
