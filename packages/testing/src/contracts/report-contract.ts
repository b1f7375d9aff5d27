import type { BlockData, ReportContribution, ReportData } from '@huitou/plugin-api'
import { check, must } from './contract.ts'
import type { Check, Subject } from './contract.ts'
import { sampleOf } from './schema-samples.ts'

/** What the server relies on in every report. */
export function reportChecks(subject: Subject<ReportContribution>): Check[] {
  const { declaration } = subject
  const everyInput = () => subject.inputs(() => sampleOf(declaration.parameters) ?? {})
  const run = async (parameters: unknown, locale: string) =>
    (await subject.plugin.call({
      point: 'reports',
      id: subject.id,
      method: 'run',
      args: [parameters],
      locale,
    })) as ReportData
  const add = (title: string, work: () => Promise<void>) => check(subject, 'reports', title, work)
  return [
    add('fills every block with data of its kind', async () => {
      for (const parameters of everyInput()) {
        const { blocks } = await run(parameters, 'en')
        must(typeof blocks === 'object' && blocks !== null, 'run() answered no blocks')
        for (const { id, kind } of declaration.blocks) checkBlock(id, kind, blocks[id])
        const unknown = Object.keys(blocks).find((id) => !declaration.blocks.some((block) => block.id === id))
        must(unknown === undefined, `run() answered the block "${unknown}", which is not declared`)
      }
    }),
    add('runs without parameters', async () => void (await run({}, 'en'))),
    add('runs in both languages', async () => {
      for (const locale of ['en', 'zh-CN']) await run(everyInput()[0], locale)
    }),
    add('says the same twice', async () => {
      const [first, second] = [await run(everyInput()[0], 'en'), await run(everyInput()[0], 'en')]
      must(JSON.stringify(first) === JSON.stringify(second), 'run() answered differently the second time')
    }),
  ]
}

function checkBlock(id: string, kind: string, data: BlockData | undefined): void {
  must(data, `run() left the block "${id}" out`)
  // A block that cannot be worked out may say so in words.
  if (data.kind === 'text') return
  must(data.kind === kind, `the block "${id}" is declared ${kind} and answered ${data.kind}`)
  must(JSON.stringify(data) !== undefined, `the block "${id}" is no JSON`)
  if (data.kind === 'table') {
    const columns = new Set(data.columns.map((column) => column.id))
    for (const row of data.rows) {
      const extra = Object.keys(row).find((column) => column !== '$behind' && !columns.has(column))
      must(extra === undefined, `the table "${id}" has values of "${extra}", which is no column of it`)
    }
  }
  if (data.kind === 'line' || data.kind === 'bar') {
    for (const { id: series, values } of data.series) {
      must(
        values.length === data.categories.length,
        `the series "${series}" of "${id}" has ${values.length} values for ${data.categories.length} categories`,
      )
    }
  }
}
