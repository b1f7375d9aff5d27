import { shortText } from './short-text.ts'

/** A line of what a plugin said, or what the host says of it. */
export interface PluginLogEntry {
  at: number
  level: 'info' | 'warn' | 'error'
  /** `plugin`: through `huitou.log`; `output`: written to its console; `host`: about it. */
  source: 'plugin' | 'output' | 'host'
  message: string
  facts?: object
}

const kept = 200
const longestMessage = 2_000
const longestFacts = 4_000

/** What a plugin wants to have logged, which may be anything, as a line of reasonable length. */
export function toLogEntry(sent: unknown): Omit<PluginLogEntry, 'at' | 'source'> {
  const { level, message, facts } = (sent ?? {}) as Record<string, unknown>
  return {
    level: level === 'warn' || level === 'error' ? level : 'info',
    message: shortText(
      typeof message === 'string' ? message : (JSON.stringify(message) ?? ''),
      longestMessage,
    ),
    ...(typeof facts === 'object' && facts !== null && JSON.stringify(facts).length <= longestFacts
      ? { facts }
      : {}),
  }
}

/** The last lines about one plugin. */
export class PluginLog {
  readonly #entries: PluginLogEntry[] = []

  add(entry: PluginLogEntry): void {
    this.#entries.push({ ...entry, message: shortText(entry.message, longestMessage) })
    if (this.#entries.length > kept) this.#entries.shift()
  }

  /** Oldest first. */
  entries(): PluginLogEntry[] {
    return [...this.#entries]
  }
}
