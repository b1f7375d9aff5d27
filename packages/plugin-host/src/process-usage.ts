import { readFileSync } from 'node:fs'
import type { Usage } from './budget.ts'

const ticksPerSecond = 100
const pageBytes = 4_096

/**
 * What process `pid` uses, as the system says, which the process cannot colour. Undefined where the system does not
 * say it in a file (only Linux does), and once the process is gone. Reading it takes some ten microseconds.
 */
export function findProcessUsage(pid: number): Usage | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const statm = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the name in parentheses, which may itself hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { memoryBytes: Number(statm[1]) * pageBytes, cpuMs: (ticks * 1_000) / ticksPerSecond }
  } catch {
    return undefined
  }
}
