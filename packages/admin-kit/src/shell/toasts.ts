import { shallowReactive } from 'vue'

export interface Toast {
  id: number
  kind: 'success' | 'warning' | 'danger' | 'info'
  title: string
  detail?: string
  /** What went wrong; shown in the reader's language instead of `detail`. */
  failure?: unknown
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

/** Tells about a failed action: what the person wanted, then what went wrong and what helps. */
export function toastError(error: unknown, title: string): void {
  toast({ kind: 'danger', title, failure: error })
}
