import { shallowRef } from 'vue'

export interface ConfirmOptions {
  title: string
  /** What it touches, in numbers. */
  text: string
  /** Verb on the button. */
  confirm: string
  /** Has to be typed before the button works: a number or a name. */
  typed?: string
  /** A milder way, offered beside it. */
  milder?: string
  danger?: boolean
  /** What the reason is asked for with; without, none is asked. */
  reason?: { label: string; example?: string }
}

export type ConfirmAnswer = 'confirm' | 'milder' | 'cancel'

/** The question on screen. The shell shows it. */
export const question = shallowRef<
  (ConfirmOptions & { answer: (answer: ConfirmAnswer, reason?: string) => void }) | undefined
>()

/** Asks before something is done, and resolves with the answer. A second question cancels the first. */
export function askConfirm(options: ConfirmOptions): Promise<ConfirmAnswer> {
  question.value?.answer('cancel')
  return new Promise((resolve) => {
    question.value = {
      ...options,
      answer(answer) {
        question.value = undefined
        resolve(answer)
      },
    }
  })
}

/** The reason that somebody gave, or undefined when they would rather not go on. A second question cancels the first. */
export function askReason(
  options: ConfirmOptions & { reason: NonNullable<ConfirmOptions['reason']> },
): Promise<string | undefined> {
  question.value?.answer('cancel')
  return new Promise((resolve) => {
    question.value = {
      ...options,
      answer(answer, reason) {
        question.value = undefined
        resolve(answer === 'confirm' ? reason : undefined)
      },
    }
  })
}

/** True when the person confirmed. */
export async function confirmed(options: ConfirmOptions): Promise<boolean> {
  return (await askConfirm(options)) === 'confirm'
}
