import { shallowReactive } from 'vue'
import { problemOf } from '../api/http.ts'

export interface Toast {
  id: number
  kind: 'success' | 'warning' | 'danger' | 'info'
  title: string
  detail?: string
  action?: { label: string; run: () => unknown }
}

/** Toasts on screen, oldest first. */
export const toasts = shallowReactive<Toast[]>([])
let lastId = 0

/** Shows a toast. Errors and those with an action stay longer; `timeout: 0` stays until closed. */
export function toast(options: Omit<Toast, 'id'> & { timeout?: number }): () => void {
  const { timeout = options.action || options.kind === 'danger' ? 10_000 : 5_000, ...shown } = options
  const entry = { ...shown, id: ++lastId }
  toasts.push(entry)
  const close = () => closeToast(entry.id)
  if (timeout > 0) setTimeout(close, timeout)
  return close
}

export function closeToast(id: number): void {
  const index = toasts.findIndex((entry) => entry.id === id)
  if (index >= 0) toasts.splice(index, 1)
}

/** Tells about a failed action: what the person wanted, then what the server said and what helps. */
export function toastError(error: unknown, title: string): void {
  const problem = problemOf(error)
  const detail = [problem.detail ?? problem.title, problem.hint].filter(Boolean).join(' ')
  toast({ kind: 'danger', title, detail })
}
