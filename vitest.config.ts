import { existsSync, globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { temporaryFolder } from './scripts/suites/temporary-folder.ts'

const root = import.meta.dirname

// Inline, so that every folder inherits what stands here; the name is the folder's.
const folders = [
  ...globSync('{packages,plugins,apps,examples}/*/package.json', { cwd: root }).map((file) =>
    path.dirname(file),
  ),
  'benchmarks',
  'scripts',
].filter((folder) => existsSync(path.join(root, folder)))

/** Files that take longest, longest first: the last one to start is what a run waits for. */
const long = [
  'apps/server/test/tutorial.test.ts',
  'apps/server/test/published-figures.test.ts',
  'apps/server/test/chaos.test.ts',
  'packages/core/src/jobs/queues.test.ts',
  'apps/server/test/care-journeys.test.ts',
  'apps/server/test/plugin-life.test.ts',
  'packages/core/src/deliveries/crash.test.ts',
  'apps/server/test/fuzz.test.ts',
  'apps/server/test/crash.test.ts',
  'packages/core/src/imports/imports.test.ts',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = long.indexOf(path.relative(root, moduleId).replaceAll(path.sep, '/'))
      return place < 0 ? long.length : place
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    globalSetup: path.join(root, 'packages/testing/src/postgres-setup.ts'),
    // One more than processors: tests wait for databases and processes of their own a third of their time.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A Temporal day depends on it, and a brand sets its own.
    env: { TZ: 'UTC', ...temporaryFolder() },
    sequence: { sequencer: LongestFirst },
    projects: folders.toSorted().map((folder) => ({
      extends: true,
      root: path.join(root, folder),
      test: {
        name: path.basename(folder),
        // No test file changes what another one imports: each need not import it anew.
        isolate: false,
        include: ['**/*.test.ts'],
        exclude: ['**/node_modules/**', '**/dist/**', '**/e2e/**'],
      },
    })),
  },
})
