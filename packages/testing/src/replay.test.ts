import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createPluginHost, routeEffects } from '@huitou/plugin-host'
import { expect, test } from 'vitest'
import { writePlugin } from '../test/write-plugin.ts'
import { FakeClock } from './fake-clock.ts'
import { memoryEffects } from './memory-effects.ts'
import { createRecorder } from './record.ts'
import { replay } from './replay.ts'

const contributes = {
  scorers: [
    {
      id: 'score',
      title: 'Score',
      inputs: [],
      outputs: [{ id: 'points', title: 'Points', type: 'number' as const }],
    },
  ],
  commands: [{ id: 'go', title: 'Go' }],
}
const body = `
  huitou.scorers.register('score', { score: ({ ids }) => ({ points: { kind: 'number', values: ids.map((id) => id * 2) } }) })
  huitou.commands.register('go', {
    async run({ key }) {
      const before = (await huitou.storage.get(key)) ?? 0
      await huitou.storage.set(key, before + 1)
      return { before, at: huitou.clock.now() }
    },
  })`

/** A recording of a few calls of the plugin in `dir`. */
async function record(dir: string): Promise<string> {
  const lines: string[] = []
  const clock = new FakeClock('2026-03-01T12:00:00+08:00')
  const recorder = createRecorder('test.subject', clock, (line) => void lines.push(line))
  const effects = recorder.effects(routeEffects(memoryEffects({}, clock)))
  await using host = await createPluginHost({
    plugins: [{ dir, trusted: true, enabled: true }],
    effects,
    brand: { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' },
    clock,
  })
  recorder.attach(host)
  await host.call('test.subject', 'scorers', 'score', 'score', [{ ids: Float64Array.of(1, 2), columns: {} }])
  await host.call('test.subject', 'commands', 'go', 'run', [{ key: 'a' }])
  clock.advance(60_000)
  await host.call('test.subject', 'commands', 'go', 'run', [{ key: 'a' }])
  await host.call('test.subject', 'commands', 'go', 'run', [{ key: 7 }]).catch(() => {})
  return lines.join('\n')
}

test('the same plugin comes out as recorded, whatever the time and without a server', async () => {
  await using plugin = await writePlugin(contributes, body)
  const replayed = await replay(plugin.dir, await record(plugin.dir))
  expect(replayed.map(({ call, difference }) => [call, difference])).toEqual([
    ['scorers score.score', undefined],
    ['commands go.run', undefined],
    ['commands go.run', undefined],
    ['commands go.run', undefined],
  ])
})

test('a plugin that changed shows where it differs', async () => {
  await using plugin = await writePlugin(contributes, body)
  const recording = await record(plugin.dir)
  const changed = body.replace('id * 2', 'id * 3').replace('storage.get(key)', "storage.get('b')")
  await writeFile(
    path.join(plugin.dir, 'index.mjs'),
    `export default { activate(huitou) {\n${changed}\n} }\n`,
  )
  const [score, go] = await replay(plugin.dir, recording)
  expect(score?.difference).toContain('it answered {"points"')
  expect(go?.difference).toContain('it asked for storage.get({"key":"b"}), which was not recorded')
})

test('a recording of another plugin, or of nothing, is refused', async () => {
  await using plugin = await writePlugin(contributes, body, { name: 'other' })
  const line = JSON.stringify({
    kind: 'call',
    plugin: 'test.subject',
    point: 'commands',
    id: 'go',
    method: 'run',
    args: [],
    now: 0,
  })
  await expect(replay(plugin.dir, line)).rejects.toMatchObject({ code: 'E_RECORDING' })
  await expect(replay(plugin.dir, 'not JSON')).rejects.toMatchObject({ code: 'E_RECORDING' })
})
