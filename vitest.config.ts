import { existsSync, globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { defineConfig } from 'vitest/config'

const root = import.meta.dirname

// Inline, so that every folder inherits what stands here; the name is the folder's.
const folders = [
  ...globSync('{packages,plugins,apps,examples}/*/package.json', { cwd: root }).map((file) =>
    path.dirname(file),
  ),
  'benchmarks',
  'scripts',
].filter((folder) => existsSync(path.join(root, folder)))

export default defineConfig({
  test: {
    globalSetup: path.join(root, 'packages/testing/src/postgres-setup.ts'),
    // Vitest keeps one processor for itself, which on two is half of them for a process that mostly waits.
    maxWorkers: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A Temporal day depends on it, and a brand sets its own.
    env: { TZ: 'UTC' },
    projects: folders.toSorted().map((folder) => ({
      extends: true,
      root: path.join(root, folder),
      test: {
        name: path.basename(folder),
        include: ['**/*.test.ts'],
        exclude: ['**/node_modules/**', '**/dist/**', '**/e2e/**'],
      },
    })),
  },
})
