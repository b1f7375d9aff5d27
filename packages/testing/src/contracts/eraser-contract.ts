import type { ErasedCustomer, EraserContribution, ErasureAnswer } from '@huitou/plugin-api'
import { check, must } from './contract.ts'
import type { Check, Subject } from './contract.ts'

/** What the server relies on in everything that erases customers. */
export function eraserChecks(subject: Subject<EraserContribution>): Check[] {
  const customer = (): ErasedCustomer => ({
    erasure: 'sample',
    ids: [1, 2],
    key: 'u-1',
    identifiers: [{ kind: 'user_id', value: 'u-1' }],
  })
  const erase = async (whom: ErasedCustomer) => {
    const answer = await subject.call<ErasureAnswer>('erase', whom)
    const removed: unknown = answer?.removed
    must(
      Number.isSafeInteger(removed) && Number(removed) >= 0,
      `erase() answered ${JSON.stringify(answer)} rather than how much went`,
    )
    return answer.removed
  }
  const add = (title: string, run: () => Promise<void>) => check(subject, 'erasers', title, run)
  return [
    add('says how much of a customer went', async () => {
      for (const whom of subject.inputs(customer)) await erase(whom)
    }),
    add('finds nothing more when it is asked again', async () => {
      for (const whom of subject.inputs(customer)) {
        await erase(whom)
        const left = await erase(whom)
        must(left === 0, `erase() found ${left} things that it had erased before`)
      }
    }),
    add('copes with somebody of whom it knows nothing', async () => {
      await erase({ erasure: 'nobody', ids: [987_654_321], key: '#987654321', identifiers: [] })
    }),
  ]
}
