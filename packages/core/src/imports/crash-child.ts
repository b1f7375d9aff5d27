import { importFile } from './import-file.ts'
import { createImportFixture } from '../../test/import-fixture.ts'

// Imports one file to its end, in a process that the test may kill at any moment.
const [dataDir, file, url] = process.argv.slice(2) as [string, string, string | undefined]
await using fixture = await createImportFixture({ dataDir, ...(url ? { url } : {}) })
await importFile(fixture, {
  path: file,
  source: 'test.lines',
  onProgress: ({ phase, done }) => void process.stdout.write(`${phase} ${done}\n`),
})
