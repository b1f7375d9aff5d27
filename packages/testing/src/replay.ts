import { isDeepStrictEqual } from 'node:util'
import { AppError, userError } from '@huitou/plugin-api'
import type { Effects, Point } from '@huitou/plugin-host'
import { openPlugin } from './open-plugin.ts'
import type { Outcome, RecordedLine } from './record.ts'
import { fromWireJson, toWireJson } from './wire-json.ts'

/** One recorded call, made again. */
export interface ReplayedCall {
  /** 1-based line of the recording. */
  line: number
  call: string
  /** Nothing when it came out as recorded. */
  difference?: string
}

export interface ReplayOptions {
  seed?: number
}

/**
 * Makes the recorded calls again, in order, on the plugin in `dir`, with the recorded answers to what it asks for, and
 * tells which came out differently. Asking for something that was not recorded counts as different.
 */
export async function replay(
  dir: string,
  recording: string,
  options: ReplayOptions = {},
): Promise<ReplayedCall[]> {
  const lines = readRecording(recording)
  const opening = lines.find(({ line }) => line.kind === 'plugin')?.line as
    | Extract<RecordedLine, { kind: 'plugin' }>
    | undefined
  const effects = recordedEffects(lines.map(({ line }) => line))
  await using plugin = await openPlugin(dir, {
    effects: effects.answer,
    settings: (opening?.settings ?? {}) as Record<string, unknown>,
    now: opening?.now ?? 0,
    seed: options.seed ?? 1,
  })
  const replayed: ReplayedCall[] = []
  for (const { line, number } of lines) {
    if (line.kind !== 'call') continue
    const { point, id, method, args, locale } = line
    if (line.plugin !== plugin.id) {
      throw userError(
        'E_RECORDING',
        `The recording is of plugin "${line.plugin}", the folder holds "${plugin.id}"`,
      )
    }
    effects.missing.length = 0
    // The time of the call stands in for a clock that moves between calls.
    const context = { now: line.now, signal: new AbortController().signal, ...(locale ? { locale } : {}) }
    const answer = await outcomeOf(() =>
      plugin.host.call(plugin.id, point as Point, id, method, [...args, context]),
    )
    const difference = effects.missing[0] ?? differenceOf(line.answer, answer)
    replayed.push({ line: number, call: `${point} ${id}.${method}`, ...(difference ? { difference } : {}) })
  }
  return replayed
}

/** Answers each question as the recording does; the same question asked again gets the next recorded answer. */
function recordedEffects(lines: RecordedLine[]): { answer: Effects; missing: string[] } {
  const left = lines.filter((line) => line.kind === 'effect')
  const missing: string[] = []
  return {
    missing,
    answer(_plugin, method, args) {
      if (method === 'log' || method === 'progress') return undefined
      const at = left.findIndex(
        (line) => line.method === method && isDeepStrictEqual(plain(line.args), plain(args)),
      )
      const [found] = at < 0 ? [] : left.splice(at, 1)
      if (!found) {
        const question = `${method}(${toWireJson(args).slice(1, -1)})`
        missing.push(`it asked for ${question}, which was not recorded`)
        throw userError('E_NOT_RECORDED', `The recording has no answer to ${question}`)
      }
      if ('error' in found.answer)
        throw new AppError('user', found.answer.error.code, found.answer.error.message)
      return structuredClone(found.answer.value)
    },
  }
}

function readRecording(text: string): { line: RecordedLine; number: number }[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [{ line: fromWireJson(line) as RecordedLine, number: index + 1 }]
    } catch (cause) {
      throw userError('E_RECORDING', `Line ${index + 1} of the recording is not JSON`, { cause })
    }
  })
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await work() }
  } catch (error) {
    const { code = 'E_UNEXPECTED', message } = error as { code?: string; message: string }
    return { error: { code, message } }
  }
}

function differenceOf(recorded: Outcome, answer: Outcome): string | undefined {
  if ('error' in recorded || 'error' in answer) {
    const [before, after] = [describe(recorded), describe(answer)]
    return before === after ? undefined : `it answered ${after}; recorded is ${before}`
  }
  if (isDeepStrictEqual(plain(recorded.value), plain(answer.value))) return undefined
  return `it answered ${describe(answer)}; recorded is ${describe(recorded)}`
}

function describe(outcome: Outcome): string {
  if ('error' in outcome) return outcome.error.code
  const text = toWireJson(outcome.value)
  return text.length > 200 ? `${text.slice(0, 197)}...` : text
}

/** As it looks after a journey through a file. */
function plain(value: unknown): unknown {
  return JSON.parse(toWireJson(value))
}
