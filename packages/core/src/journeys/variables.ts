import { fillContent } from '../content/fill.ts'
import type { Here } from '../content/here.ts'
import { compileText } from '../content/liquid.ts'

/** What variables are filled in from. */
export interface ContentVariables {
  customer: Record<string, unknown>
  event: Record<string, unknown>
  [name: string]: unknown
}

/** Content ready to send, or why it cannot be. */
export type RenderedContent = { content: Record<string, unknown> } | { problem: string }

/** Fills variables in. A variable without a value and without a default is a problem, never an empty place. */
export type ContentRenderer = (
  content: Record<string, unknown>,
  variables: ContentVariables,
  about: { deliveryKey: string; locale: string } & Partial<Omit<Here, 'locale'>>,
) => RenderedContent

/** Paths of the variables in a text or in any text within, with whether each may be missing. */
export function variablesIn(value: unknown): { path: string; optional: boolean }[] {
  if (typeof value === 'string') return compileText(value, 'none').variables
  if (Array.isArray(value)) return value.flatMap(variablesIn)
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(variablesIn) : []
}

/** Fills in plain texts that are no message: an action's input, what a person is to say. */
export const renderPlainContent: ContentRenderer = (content, variables, about) =>
  fillContent(content, {
    scope: variables,
    here: {
      locale: about.locale === '' ? 'zh-CN' : about.locale,
      timeZone: about.timeZone ?? 'Asia/Shanghai',
      currency: about.currency ?? 'CNY',
      now: about.now ?? Number.NaN,
    },
  })
