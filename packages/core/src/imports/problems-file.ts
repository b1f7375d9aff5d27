import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import { toDiskError } from './file-errors.ts'
import type { StagedProblem } from './staging.ts'

/**
 * Writes the rows with problems, each with its reason in front, so that they can be mended in a spreadsheet and
 * imported again. The reason stands in every language: the file goes from one reader to another. Cells that a
 * spreadsheet would run as a formula are made text.
 */
export async function writeProblems(
  file: string,
  headers: string[],
  problems: Iterable<StagedProblem>,
): Promise<void> {
  function* lines(): Generator<unknown[]> {
    yield ['row', 'outcome', 'code', 'reason', '原因', 'column', 'value', ...headers]
    for (const { row, outcome, code, message, column = '', value = '', cells } of problems) {
      yield [row, outcome, code, message.en, message['zh-CN'], column, value, ...cells]
    }
  }
  try {
    await pipeline(
      Readable.from(lines()),
      stringify({ bom: true, escape_formulas: true }),
      createWriteStream(file, { mode: 0o600 }),
    )
  } catch (error) {
    throw toDiskError(error)
  }
}
