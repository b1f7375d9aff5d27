import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Page } from '@playwright/test'

export interface HuitouProcess extends AsyncDisposable {
  readonly url: string
}

/**
 * A real Huitou in a process and a folder of its own, answering at `url`, with the plugins of these folders; it closes
 * `page` before it stops.
 */
export async function startHuitou(page?: Page, plugins: readonly string[] = []): Promise<HuitouProcess> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-e2e-'))
  const main = path.join(import.meta.dirname, '../src/main.ts')
  const more = plugins.length > 0 ? ['--plugin', plugins.join(',')] : []
  const child = spawn(
    process.execPath,
    [main, 'serve', '--data', dataDir, '--port', '0', '--json', ...more],
    {
      env: { ...process.env, HUITOU_LOG_LEVEL: 'silent', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  const url = await Promise.race([
    readUrl(child.stdout),
    ended.then(([code]) => Promise.reject(new Error(`Huitou ended with ${code} before it answered`))),
  ])
  return {
    url,
    async [Symbol.asyncDispose]() {
      await page?.close()
      child.kill('SIGTERM')
      await ended
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export async function readUrl(stdout: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stdout })) {
    if (line.startsWith('{"url"')) return (JSON.parse(line) as { url: string }).url
  }
  throw new Error('Huitou ended without saying where it answers')
}
