import type { BlockData, NumberData } from '@huitou/plugin-api'

export interface PlacedBlock<Info> {
  key: string
  /** Width in twelfths. */
  span: number
  /** Neighbouring numbers share one frame. */
  numbers?: { info: Info; data: NumberData }[]
  block?: { info: Info; data: Exclude<BlockData, NumberData> }
}

/** Blocks in the order of the manifest, numbers that stand side by side gathered, blocks without data left out. */
export function placeBlocks<Info extends { id: string; span?: number | undefined }>(
  blocks: readonly Info[],
  data: Readonly<Record<string, BlockData>>,
): PlacedBlock<Info>[] {
  const placed: PlacedBlock<Info>[] = []
  for (const info of blocks) {
    const found = data[info.id]
    if (!found) continue
    const span = Math.min(12, Math.max(1, info.span ?? 12))
    const last = placed.at(-1)
    if (found.kind !== 'number') placed.push({ key: info.id, span, block: { info, data: found } })
    else if (last?.numbers) {
      last.numbers.push({ info, data: found })
      last.span = Math.min(12, last.span + span)
    } else placed.push({ key: info.id, span, numbers: [{ info, data: found }] })
  }
  return placed
}
