import type { Drawing } from './layout.ts'

const isStep = (id: string) => !id.startsWith('open:')

/** The step that an arrow key leads to: down and up along the ways, left and right to what stands beside it. */
export function neighbour({ boxes, edges }: Drawing, id: string, key: string): string | undefined {
  const box = boxes.get(id)
  if (!box) return undefined
  if (key === 'ArrowDown') return edges.find((edge) => edge.node === id && isStep(edge.to))?.to
  if (key === 'ArrowUp') {
    const from = edges.filter((edge) => edge.to === id).map(({ node }) => node)
    return from.toSorted((a, b) => distance(a) - distance(b))[0]
  }
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined
  const way = key === 'ArrowRight' ? 1 : -1
  const middle = box.y + box.height / 2
  return [...boxes]
    .filter(([other, { x, y, height }]) => {
      if (other === id || !isStep(other)) return false
      return (x - box.x) * way > 0 && Math.abs(y + height / 2 - middle) < 40
    })
    .map(([other]) => other)
    .toSorted((a, b) => distance(a) - distance(b))[0]

  function distance(other: string): number {
    return Math.abs(boxes.get(other)!.x - box!.x)
  }
}
