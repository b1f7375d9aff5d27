import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { exportCustomers } from '../export-customers.ts'
import { commonArgs, openForCommand, runCommand } from './open.ts'

export const exportCommand = defineCommand({
  meta: {
    name: 'export',
    description: 'Export customers with all identifiers, traits, features, scores and labels',
  },
  args: {
    what: { type: 'positional', required: true, description: 'customers' },
    ...commonArgs,
    format: { type: 'string', default: 'csv', description: 'csv | jsonl' },
    out: { type: 'string', valueHint: 'FILE', description: 'file to write; standard output when absent' },
    segment: { type: 'string', valueHint: 'ID', description: 'only members of this segment' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      if (args.what !== 'customers')
        throw userError('E_EXPORT', `"${args.what}" cannot be exported`, { hint: 'customers' })
      if (args.format !== 'csv' && args.format !== 'jsonl')
        throw userError('E_FORMAT', `There is no format "${args.format}"`, { hint: 'csv or jsonl' })
      await using huitou = await openForCommand(args, { existing: true })
      const out: Writable = args.out ? createWriteStream(args.out) : process.stdout
      let rows = 0
      for await (const line of exportCustomers(huitou.core.database, {
        format: args.format,
        segmentId: args.segment,
      })) {
        if (!out.write(line)) await once(out, 'drain')
        rows++
      }
      if (args.out) {
        out.end()
        await once(out, 'close')
        const customers = args.format === 'csv' ? rows - 1 : rows
        process.stdout.write(
          args.json
            ? `${JSON.stringify({ file: args.out, customers })}\n`
            : `${customers} customers in ${args.out}\n`,
        )
      }
    })
  },
})
