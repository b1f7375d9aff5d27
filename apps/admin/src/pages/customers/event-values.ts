/** What stands at places such as `receiver.phone` within an event's properties, as text. */
export function valuesAt(properties: unknown, places: readonly string[]): { place: string; value: string }[] {
  return places.map((place) => {
    const value = place
      .split('.')
      .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], properties)
    return { place, value: typeof value === 'object' ? JSON.stringify(value) : String(value ?? '') }
  })
}
