import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'

const settleMs = 100

/** Calls `onChange` once files in `dir` have changed and changes have calmed down. */
export function watchFolder(dir: string, onChange: () => void): { dispose(): void } {
  let timer: NodeJS.Timeout | undefined
  const watcher: FSWatcher = watch(dir, { recursive: true, persistent: false }, (_event, file) => {
    if (file?.split(/[\\/]/).some((part) => part === 'node_modules' || part.startsWith('.'))) return
    clearTimeout(timer)
    timer = setTimeout(onChange, settleMs)
  })
  watcher.on('error', () => {})
  return {
    dispose() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}
