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

/** Watches one folder for each plugin that is being written. */
export class FolderWatches {
  readonly #watches = new Map<string, { dispose(): void }>()

  /** Watches `dir` for a plugin, in place of what was watched for it. */
  set(pluginId: string, dir: string, onChange: () => void): void {
    this.clear(pluginId)
    this.#watches.set(pluginId, watchFolder(dir, onChange))
  }

  clear(pluginId: string): void {
    this.#watches.get(pluginId)?.dispose()
    this.#watches.delete(pluginId)
  }

  clearAll(): void {
    for (const pluginId of [...this.#watches.keys()]) this.clear(pluginId)
  }
}
