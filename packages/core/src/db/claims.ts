import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '@huitou/plugin-api'
import type { Tx } from './database.ts'

/** A node's right to do a stage's work. The number grows each time the stage changes hands. */
export interface Claim {
  readonly stage: string
  readonly token: number
}

interface Held {
  claim: Claim
  /** What a stage starts, such as a plugin's process, may outlive its turn; that is bound by the claim no longer. */
  active: boolean
}

const held = new AsyncLocalStorage<Held>()

/** Runs a turn of a stage: while it lasts, each of its transactions holds only if the claim does. */
export async function underClaim<T>(claim: Claim, turn: () => Promise<T>): Promise<T> {
  const mine: Held = { claim, active: true }
  try {
    return await held.run(mine, turn)
  } finally {
    mine.active = false
  }
}

/**
 * Throws `E_CLAIM_LOST` when the stage is another node's by now. The claim's row stays locked until the transaction
 * ends, so that nobody takes the stage between this look and the commit.
 */
export async function checkClaim(tx: Tx): Promise<void> {
  const mine = held.getStore()
  if (!mine?.active) return
  const { stage, token } = mine.claim
  const row = await tx
    .selectFrom('stage_claims')
    .select('token')
    .where('stage', '=', stage)
    .forShare()
    .executeTakeFirst()
  if (row?.token === token) return
  throw new AppError('world', 'E_CLAIM_LOST', `Stage "${stage}" is another node's by now`, {
    hint: 'Nothing was written; the node that has it goes on from where this one stood.',
  })
}

/** For what a turn starts and does not wait for. */
export function withoutClaim<T>(work: () => T): T {
  return held.exit(work)
}
