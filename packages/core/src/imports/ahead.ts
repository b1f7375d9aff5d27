/**
 * The values of `source`, each being made while the one before is worked on: a plugin's thread and this one are both
 * busy. Leaving the loop waits for the value under way, so that nothing goes on behind the caller's back.
 */
export async function* ahead<T>(source: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  let next = begin(source)
  try {
    for (;;) {
      const { value, done } = await next
      if (done) return
      next = begin(source)
      yield value as T
    }
  } finally {
    await next.catch(() => {})
    await source.return()
  }
}

/** A failure is thrown where the value is asked for, not as an unhandled one before. */
function begin<T>(source: AsyncGenerator<T, void>): Promise<IteratorResult<T, void>> {
  const next = source.next()
  next.catch(() => {})
  return next
}
