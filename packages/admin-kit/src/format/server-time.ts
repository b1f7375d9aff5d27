let ahead = 0

/** How far the server's clock is ahead of this machine's; it is in a demo shop whose days somebody let pass. */
export function setServerAhead(milliseconds: number): void {
  ahead = milliseconds
}

/** What the time is for the server's data; epoch milliseconds. */
export function serverNow(): number {
  return Date.now() + ahead
}
