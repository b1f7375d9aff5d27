import { shallowRef } from 'vue'

/** A ref: what was worked out before the server was heard is worked out again. */
const ahead = shallowRef(0)

/** How far the server's clock is ahead of this machine's; it is in a demo shop whose days somebody let pass. */
export function setServerAhead(milliseconds: number): void {
  ahead.value = milliseconds
}

/** A moment of this machine's clock, as the server's has it. */
export function toServerTime(moment: Date): number {
  return moment.getTime() + ahead.value
}

/** What the time is for the server's data; epoch milliseconds. */
export function serverNow(): number {
  return Date.now() + ahead.value
}
