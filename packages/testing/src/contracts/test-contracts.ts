import { readManifest } from '@huitou/plugin-host'
import { afterAll, describe, test } from 'vitest'
import type { ContractOptions } from './contract-options.ts'
import { openContracts } from './open-contracts.ts'

/**
 * Declares a test for every promise that the contributions of the plugin in `dir` make. To be awaited at the top of a
 * test file.
 *
 * @example
 * await testContracts(path.join(import.meta.dirname, '..'))
 */
export async function testContracts(dir: string, options: ContractOptions = {}): Promise<void> {
  const { id } = await readManifest(dir)
  const contracts = await openContracts(dir, options)
  describe(`${id} keeps its contracts`, () => {
    afterAll(() => contracts[Symbol.asyncDispose]())
    for (const { point, id: contribution, title, run } of contracts.checks) {
      test(`${point} ${contribution} ${title}`, run)
    }
    if (contracts.checks.length === 0) test('it declares and has no code to check', () => {})
  })
}
