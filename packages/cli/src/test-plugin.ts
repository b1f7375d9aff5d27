import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { jsonArg, runCommand } from './output.ts'

/** One check or one call that was made again; `problem` is what the plugin did instead. */
interface Line {
  name: string
  problem?: string
}

export const pluginTestCommand = defineCommand({
  meta: {
    name: 'test',
    description: 'Check a plugin against its contribution points, or play a recording back',
  },
  args: {
    dir: { type: 'positional', required: false, default: '.', description: 'folder of the plugin' },
    replay: {
      type: 'string',
      valueHint: 'FILE',
      description:
        'make the calls of this recording again, with its answers, its time and fixed random numbers',
    },
    seed: { type: 'string', default: '1', description: 'what random numbers follow from, with --replay' },
    with: { type: 'string', valueHint: 'DIR[,DIR]', description: 'plugins whose points it contributes to' },
    ...jsonArg,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const dir = path.resolve(args.dir)
      const others = (args.with ?? '').split(',').filter(Boolean)
      const lines = args.replay
        ? await replayFile(dir, args.replay, Number(args.seed))
        : await checkContracts(dir, others)
      const problems = lines.filter(({ problem }) => problem)
      const tell = ({ name, problem }: Line) => (problem ? `✗ ${name}\n    ${problem}` : `✓ ${name}`)
      const total = `${lines.length - problems.length} of ${lines.length} passed`
      process.stdout.write(
        args.json
          ? `${JSON.stringify({ passed: problems.length === 0, lines }, null, 2)}\n`
          : `${[...lines.map(tell), total].join('\n')}\n`,
      )
      if (problems.length > 0) process.exitCode = 1
    })
  },
})

async function checkContracts(dir: string, others: readonly string[]): Promise<Line[]> {
  // Loaded at first use: the server itself never needs it.
  const { openContracts } = await import('@huitou/testing/contracts/open-contracts')
  await using contracts = await openContracts(dir, { with: others })
  const lines: Line[] = [{ name: `${contracts.pluginId} has a valid manifest` }]
  for (const { point, id, title, run } of contracts.checks) {
    const problem = await run().then(
      () => undefined,
      (error: Error) => error.message,
    )
    lines.push({ name: `${point} ${id} ${title}`, ...(problem ? { problem } : {}) })
  }
  return lines
}

async function replayFile(dir: string, file: string, seed: number): Promise<Line[]> {
  const { replay } = await import('@huitou/testing/replay')
  const recording = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw userError('E_RECORDING', `${file} cannot be read`, {
      hint: 'Record one with `huitou plugin dev --record FILE`.',
      cause,
    })
  })
  const replayed = await replay(dir, recording, { seed })
  return replayed.map(({ line, call, difference }) => ({
    name: `line ${line}: ${call}`,
    ...(difference ? { problem: difference } : {}),
  }))
}
