import { existsSync, readFileSync } from 'node:fs'
import { importFile } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'
import { bringUpToDate } from './up-to-date.ts'

export const importCommand = defineCommand({
  meta: {
    name: 'import',
    description: 'Import a CSV or XLSX file, also gzipped; goes on where an interrupted import stopped',
  },
  args: {
    source: { type: 'positional', required: true, description: 'orders, or PLUGIN.SOURCE' },
    file: { type: 'positional', required: true, description: 'the file' },
    ...commonArgs,
    map: {
      type: 'string',
      valueHint: 'FILE',
      description: 'mapping as JSON: {"order_id": "heading", …, "options": {…}}',
    },
    currency: { type: 'string', description: 'currency of the amounts; the brand’s when absent' },
    'time-zone': { type: 'string', description: 'time zone of times without one; the brand’s when absent' },
    shop: { type: 'string', description: 'name of the shop the orders are from' },
    'dry-run': { type: 'boolean', default: false, description: 'only say what would happen' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      if (!existsSync(args.file)) throw userError('E_FILE_MISSING', `There is no file ${args.file}`)
      await using huitou = await openForCommand(args)
      const brand = await huitou.core.brand()
      const record = await importFile(huitou.core, {
        path: args.file,
        source: args.source.includes('.') ? args.source : `commerce.${args.source}`,
        ...(args.map ? { mapping: readMap(args.map) } : {}),
        options: {
          currency: args.currency ?? brand.currency,
          timeZone: args['time-zone'] ?? brand.timeZone,
          ...(args.shop ? { shop: args.shop } : {}),
        },
        dryRun: args['dry-run'],
        onProgress: ({ phase, done, total }) =>
          showProgress(`${phase} ${done}${total === null ? '' : ` / ${total}`}`),
      })
      if (!args['dry-run']) await bringUpToDate(huitou, showProgress)
      showProgress('')
      const { id, state, dryRun, result, error } = record
      print(args, { id, state, dryRun, result, error }, summary(record))
    })
  },
})

function readMap(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw userError('E_MAP_FILE', `Cannot read the mapping ${file}: ${(cause as Error).message}`, { cause })
  }
}

function summary({
  name,
  state,
  dryRun,
  result,
}: {
  name: string
  state: string
  dryRun: unknown
  result: unknown
}): string {
  const figures = (result ?? dryRun ?? {}) as Record<string, unknown>
  const numbers = Object.entries(figures).filter(([, value]) => typeof value === 'number')
  return [`${name}: ${state}`, ...numbers.map(([key, value]) => `  ${key}: ${value as number}`)].join('\n')
}

/** One line on a terminal's standard error; nothing when it is not a terminal. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}
