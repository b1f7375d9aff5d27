import { useI18n } from 'vue-i18n'
import { problemOf } from '../api/http.ts'
import type { Problem } from '../api/http.ts'

/** How `vue-i18n` is asked for a text, whether it is there, and how it stands in the file. */
interface Words {
  t(key: string, named: Record<string, unknown>): string
  te(key: string): boolean
  tm(key: string): unknown
}

/** Returns a function that says a failure in the reader's language, or as the server did where no text is known. */
export function useProblem(): (failure: unknown) => Problem {
  const words: Words = useI18n()
  return (failure) => translateProblem(failure, words)
}

/** A failure in the words of `errors.<code>`; the server's own when there are none, or they name what it did not tell. */
export function translateProblem(failure: unknown, { t, te, tm }: Words): Problem {
  const problem = problemOf(failure)
  if (!problem.code) return problem
  const facts = factsOf(problem)
  const say = (part: 'text' | 'hint') => {
    const key = `errors.${problem.code}.${part}`
    return te(key) && namesIn(String(tm(key))).every((name) => name in facts) ? t(key, facts) : undefined
  }
  const text = say('text')
  if (text === undefined) return problem
  const hint = say('hint')
  return { status: problem.status, code: problem.code, title: text, ...(hint ? { hint } : {}) }
}

/** Facts that a text can show. A refused form says where the mistakes are. */
function factsOf({ code, title, detail, details = {} }: Problem): Record<string, string | number> {
  // What the server said itself: particulars of a mistake that only its author's language has.
  const facts: Record<string, string | number> = { message: detail ?? title }
  for (const [name, value] of Object.entries(details)) {
    if (typeof value === 'string' || typeof value === 'number') facts[name] = value
    else if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'))
      facts[name] = value.join(', ')
  }
  const { mistakes } = details as { mistakes?: { path?: string }[] }
  if (code === 'E_INVALID' && Array.isArray(mistakes)) {
    const where = mistakes.map(({ path }) => path).filter(Boolean)
    if (where.length > 0) facts['where'] = where.join(', ')
  }
  return facts
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
}
