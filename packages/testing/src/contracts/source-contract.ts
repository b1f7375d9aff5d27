import type {
  Conversion,
  FileSample,
  Recognition,
  RowGroup,
  SourceContribution,
  WebhookAnswer,
} from '@huitou/plugin-api'
import { toWireJson } from '../wire-json.ts'
import { check, must, unlessMissing } from './contract.ts'
import type { Check, Subject } from './contract.ts'

const strange: FileSample = {
  fileName: 'strange.csv',
  headers: ['', '???', '金额'],
  rows: [{ row: 2, cells: ['', '1'] }],
}

/** What the server relies on in every source. Files to try come from `inputs["sources.<id>"]`, as `FileSample`s. */
export function sourceChecks(subject: Subject<SourceContribution>): Check[] {
  const files = () => subject.inputs<FileSample>(() => strange)
  const recognise = (file: FileSample) => subject.call<Recognition[]>('recognise', file)
  const add = (title: string, run: () => Promise<void>) => check(subject, 'sources', title, run)
  const convert = async (file: FileSample, recognition: Recognition): Promise<Conversion> => {
    const keys = await subject.call<(string | null)[]>(
      'groupKeys',
      file.rows,
      recognition.mapping,
      file.headers,
    )
    must(
      keys.length === file.rows.length,
      `groupKeys() answered ${keys.length} keys for ${file.rows.length} rows`,
    )
    const groups = Object.values(
      Object.groupBy(file.rows, (row) => keys[file.rows.indexOf(row)] ?? `row ${row.row}`),
    )
    const rows = groups.map((of, at): RowGroup => ({ key: String(at), rows: of ?? [] }))
    return await subject.call('convert', rows, recognition.mapping, file.headers)
  }
  return [
    add('says how sure it is of a file, and maps only columns that are there', async () => {
      await unlessMissing(async () => {
        for (const file of files()) {
          for (const { confidence, mapping } of await recognise(file)) {
            must(confidence >= 0 && confidence <= 1, `a recognition has the confidence ${confidence}`)
            const positions = Object.values(mapping.fields).flat()
            const wrong = positions.find((at) => !Number.isInteger(at) || at < 0 || at >= file.headers.length)
            must(wrong === undefined, `a mapping names column ${wrong} of ${file.headers.length}`)
          }
        }
      })
    }),
    add('does not fail over a file that it does not know', async () => {
      await unlessMissing(async () => void (await recognise(strange)))
    }),
    add('makes the same events with the same message ids from the same rows', async () => {
      await unlessMissing(async () => {
        for (const file of files()) {
          const [best] = await recognise(file)
          if (!best) continue
          const [first, second] = [await convert(file, best), await convert(file, best)]
          must(toWireJson(first) === toWireJson(second), 'convert() answered differently the second time')
          const ids = first.events.map(({ messageId }) => messageId)
          must(ids.every(Boolean), 'an event has no message id')
          must(new Set(ids).size === ids.length, 'two events have the same message id')
        }
      })
    }),
    ...(subject.declaration.webhooks ?? []).map(({ path }) =>
      add(`answers nonsense sent to ${path} with a refusal, not with an error`, async () => {
        const { settings = {} } = subject.samples
        for (const body of ['', 'null', '[]', '{"a":', '\u0000']) {
          const request = {
            path,
            method: 'POST',
            headers: {},
            body: new TextEncoder().encode(body),
            settings,
          }
          const { status } = await subject.call<WebhookAnswer>('handleWebhook', request)
          must(
            Number.isInteger(status) && status >= 200 && status < 500,
            `handleWebhook() answered ${status}`,
          )
        }
      }),
    ),
  ]
}
