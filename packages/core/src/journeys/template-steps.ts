/** Leaves out the steps whose `when` is nothing, false, 0 or empty; what led to one leads to the step behind it. */
export function withoutUnwanted(definition: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const nodes = (definition['nodes'] ?? {}) as Record<string, Record<string, unknown>>
  const dropped = new Map(
    Object.entries(nodes).flatMap(([id, node]) =>
      'when' in node && !node['when'] ? [[id, node['next']]] : [],
    ),
  )
  const behind = (id: unknown): unknown => {
    let target = id
    for (let steps = 0; dropped.has(target as string) && steps <= dropped.size; steps++)
      target = dropped.get(target as string)
    return target
  }
  const redirect = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(redirect)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, inner]) => {
        if (key !== 'next' && key !== 'otherwise') return [[key, redirect(inner)]]
        const target = behind(inner)
        return target === undefined ? [] : [[key, target]]
      }),
    )
  }
  const kept = Object.entries(nodes).flatMap(([id, { when: _, ...node }]) =>
    dropped.has(id) ? [] : [[id, redirect(node)]],
  )
  return { ...definition, start: behind(definition['start']), nodes: Object.fromEntries(kept) }
}
