// `npm run audit`: known weaknesses of the dependencies, where the registry answers such questions.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './bootstrap.mjs'

const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const { stdout, stderr, error } = spawnSync('npx', ['--yes', packageManager, 'audit', '--json', '--prod'], {
  cwd: root,
  encoding: 'utf8',
  timeout: 60_000,
  shell: process.platform === 'win32',
})
const report = readJson(stdout)
const counts = report?.metadata?.vulnerabilities
if (!counts) {
  const reason = error?.message ?? report?.error?.message ?? stderr.trim().split('\n').at(-1)
  process.stdout.write(`skipped: the registry does not answer such questions (${reason || 'no answer'})\n`)
  process.exit(0)
}
for (const { module_name, severity, title, url } of Object.values(report.advisories ?? {}))
  process.stdout.write(`${severity}: ${module_name}: ${title} ${url}\n`)
process.stdout.write(
  `${counts.critical} critical, ${counts.high} high, ${counts.moderate} moderate, ${counts.low} low\n`,
)
process.exit(counts.critical + counts.high > 0 ? 1 : 0)

function readJson(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
