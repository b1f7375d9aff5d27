import { ref, shallowRef } from 'vue'

/** Does what a form is for, once at a time. The form stays as it is, with the reason, when that was refused. */
export function useSubmit() {
  const busy = ref(false)
  const failure = shallowRef<unknown>()

  /** True when it was done. */
  async function submit(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failure.value = undefined
    try {
      await work()
      return true
    } catch (cause) {
      failure.value = cause
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, failure, submit }
}
