import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runTool } from './run-tool.ts'
import { tallyOfVitest, type Suite } from './tally.ts'

export const unit: Suite = {
  name: 'unit',
  title: 'behaviour, on SQLite and on PostgreSQL (Vitest)',
  exists: () => true,
  async run() {
    const folder = mkdtempSync(path.join(tmpdir(), 'huitou-unit-'))
    const file = path.join(folder, 'report.json')
    try {
      await runTool('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`])
      return tallyOfVitest(JSON.parse(readFileSync(file, 'utf8')))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
