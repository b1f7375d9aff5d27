import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

test('a plugin in a folder of its own gets the plugin API without having it installed', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'huitou-lone-'))
  const entry = path.join(dir, 'index.ts')
  await writeFile(
    entry,
    `import { apiVersion, definePlugin, valueAt, toNumberVector } from '@huitou/plugin-api'
     import type { Scorer } from '@huitou/plugin-api'
     const scorer: Scorer = { score: () => ({}) }
     export default [typeof definePlugin, valueAt(toNumberVector([7]), 0), Object.keys(scorer), apiVersion]`,
  )
  const worker = new Worker(new URL('../test/lone-plugin-worker.ts', import.meta.url), {
    workerData: pathToFileURL(entry).href,
  })
  const [answer] = (await once(worker, 'message')) as [unknown[]]
  await worker.terminate()
  await rm(dir, { recursive: true })
  expect(answer).toEqual(['function', 7, ['score'], expect.stringMatching(/^\d+\.\d+\.\d+$/)])
})
