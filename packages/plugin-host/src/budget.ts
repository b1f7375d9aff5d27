/** What one running plugin may use. */
export interface Budget {
  /** MiB of JavaScript objects; beyond it the plugin ends. */
  readonly heapMb: number
  /** MiB of memory in all, buffers included; a plugin that stays above is ended. */
  readonly memoryMb: number
  /** Share of one core that it may use while nobody calls it. */
  readonly idleCpuShare: number
  /** Milliseconds that a call may take when the caller names no deadline. */
  readonly deadlineMs: number
  /** Milliseconds beyond which no call may go, whatever deadline its caller names. */
  readonly longestCallMs: number
  /** Milliseconds that `activate` may take. */
  readonly activationMs: number
  /** Milliseconds that it may give no sign of life after a missed deadline, or between calls. */
  readonly hangMs: number
  /** Messages a second that it may send: calls of `huitou`, answers, lines of log. */
  readonly messagesPerSecond: number
  /** MiB of one message that are not typed arrays; also what it may send of them in a second. */
  readonly messageMb: number
  /** MiB of typed arrays in one message. */
  readonly arraysMb: number
  /** Calls of `huitou` that the server works on at once; more wait their turn. */
  readonly effectsAtOnce: number
}

/** What plugins may use where the owner decided so: by where they run, and one by one. */
export interface Budgets {
  readonly worker?: Partial<Budget>
  readonly process?: Partial<Budget>
  readonly plugins?: Readonly<Record<string, Partial<Budget>>>
}

/** How a plugin's code is kept apart: in a thread of the server, in a process of its own, or there is none. */
export type IsolationKind = 'worker' | 'process' | 'none'

/** Budgets that hold unless the owner set others. A worker shares the server's memory and is believed more. */
export const defaultBudgets: Readonly<Record<'worker' | 'process', Budget>> = {
  worker: {
    heapMb: 1_024,
    memoryMb: 2_048,
    idleCpuShare: 0.5,
    deadlineMs: 60_000,
    longestCallMs: Infinity,
    activationMs: 15_000,
    hangMs: 2_000,
    messagesPerSecond: Infinity,
    messageMb: Infinity,
    arraysMb: Infinity,
    effectsAtOnce: 64,
  },
  process: {
    heapMb: 256,
    memoryMb: 512,
    idleCpuShare: 0.25,
    deadlineMs: 60_000,
    longestCallMs: Infinity,
    activationMs: 15_000,
    hangMs: 2_000,
    messagesPerSecond: 2_000,
    messageMb: 4,
    arraysMb: 256,
    effectsAtOnce: 16,
  },
}

/** What a running plugin uses, as far as it was last looked. */
export interface Usage {
  /** Milliseconds of processor since it started. */
  cpuMs: number
  memoryBytes: number
}

/** What {@link BudgetWatch} says of a plugin: a `warning` once, a `breach` to end it for. */
export type BudgetFinding = { level: 'warning' | 'breach'; code: string; message: string }

const mebibyte = 1_048_576
const warnFrom = 0.8
const cpuWindowMs = 10_000

/** Judges a plugin's use of memory and processor, look by look. */
export class BudgetWatch {
  #budget: Budget
  #warnedOfMemory = false
  #warnedOfCpu = false
  /** Since when nobody has called it, and what it had used by then. */
  #idleSince: { at: number; cpuMs: number } | undefined

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** Judges by another budget from the next look on. */
  set budget(budget: Budget) {
    this.#budget = budget
    this.#warnedOfMemory = false
    this.#warnedOfCpu = false
  }

  /** `busy`: somebody waits for it, so its use of the processor is what it is there for. */
  look(usage: Usage, now: number, busy: boolean): BudgetFinding | undefined {
    return this.#lookAtMemory(usage) ?? this.#lookAtCpu(usage, now, busy)
  }

  #lookAtMemory({ memoryBytes }: Usage): BudgetFinding | undefined {
    const usedMb = Math.round(memoryBytes / mebibyte)
    const { memoryMb } = this.#budget
    if (usedMb > memoryMb) {
      return {
        level: 'breach',
        code: 'E_BUDGET_MEMORY',
        message: `It used ${usedMb} MiB of memory; ${memoryMb} are allowed`,
      }
    }
    if (usedMb < memoryMb * warnFrom || this.#warnedOfMemory) return undefined
    this.#warnedOfMemory = true
    return {
      level: 'warning',
      code: 'E_BUDGET_MEMORY',
      message: `It uses ${usedMb} of ${memoryMb} MiB of memory`,
    }
  }

  #lookAtCpu({ cpuMs }: Usage, now: number, busy: boolean): BudgetFinding | undefined {
    if (busy) {
      this.#idleSince = undefined
      return undefined
    }
    const since = (this.#idleSince ??= { at: now, cpuMs })
    if (now - since.at < cpuWindowMs) return undefined
    const share = (cpuMs - since.cpuMs) / (now - since.at)
    this.#idleSince = { at: now, cpuMs }
    if (share <= this.#budget.idleCpuShare) {
      this.#warnedOfCpu = false
      return undefined
    }
    const level = this.#warnedOfCpu ? 'breach' : 'warning'
    this.#warnedOfCpu = true
    const percent = (value: number) => `${Math.round(value * 100)} %`
    return {
      level,
      code: 'E_BUDGET_CPU',
      message: `It used ${percent(share)} of a core while nobody called it; ${percent(this.#budget.idleCpuShare)} is allowed`,
    }
  }
}
