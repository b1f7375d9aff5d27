import { type ChildProcess, fork } from 'node:child_process'
import { AppError } from '@huitou/plugin-api'
import type { CompiledQuery } from 'kysely'
import type { QueryAnswer, QueryRequest } from './query-reader.ts'
import { deadlineError, largeError, refusedError, ANSWER_LIMIT } from './query-limits.ts'

interface Reader {
  readonly process: ChildProcess
  waiting?: { id: number; resolve(answer: QueryAnswer): void; reject(error: Error): void }
}

/**
 * Processes that each run one plugin's query at a time on a SQLite file. They start at first use; one whose query
 * takes too long is killed, which is the only way to end it, and the next query starts another.
 */
export class QueryProcesses {
  readonly #file: string
  readonly #readers = new Set<Reader>()
  #lastId = 0
  #closed = false

  constructor(file: string) {
    this.#file = file
  }

  /** Rows of the query, at most `rowLimit`. Throws when it takes longer than `deadlineMs`, or `signal` aborts. */
  async run(
    { sql, parameters }: CompiledQuery,
    { rowLimit, deadlineMs, signal }: { rowLimit: number; deadlineMs: number; signal: AbortSignal },
  ): Promise<Record<string, unknown>[]> {
    signal.throwIfAborted()
    const reader = this.#idle()
    const request: QueryRequest = {
      id: ++this.#lastId,
      sql,
      parameters,
      rowLimit,
      answerLimit: ANSWER_LIMIT,
    }
    const { promise, resolve, reject } = Promise.withResolvers<QueryAnswer>()
    reader.waiting = { id: request.id, resolve, reject }
    const giveUp = (reason: Error) => {
      reject(reason)
      this.#end(reader)
    }
    const timer = setTimeout(() => giveUp(deadlineError(deadlineMs)), deadlineMs)
    const onAbort = () => giveUp(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    hold(reader.process)
    reader.process.send(request, (error) => error && reject(error))
    try {
      const answer = await promise
      if ('rows' in answer) return answer.rows
      throw answer.error === 'large' ? largeError() : refusedError(answer.message)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      delete reader.waiting
      release(reader.process)
    }
  }

  close(): void {
    this.#closed = true
    for (const reader of this.#readers) this.#end(reader)
  }

  #idle(): Reader {
    if (this.#closed) throw new AppError('bug', 'E_CLOSED', 'The database is closed')
    for (const reader of this.#readers) if (!reader.waiting) return reader
    return this.#start()
  }

  #start(): Reader {
    const child = fork(new URL('./query-process.ts', import.meta.url), [this.#file], {
      env: {},
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const reader: Reader = { process: child }
    const ended = () => {
      this.#readers.delete(reader)
      reader.waiting?.reject(
        new AppError('world', 'E_QUERY_PROCESS', 'The query was ended: it needs too much memory', {
          status: 503,
          hint: 'Group or sort fewer rows at once.',
        }),
      )
    }
    child.on('message', (answer: QueryAnswer) => {
      if (reader.waiting?.id === answer.id) reader.waiting.resolve(answer)
    })
    child.on('error', ended)
    child.on('exit', ended)
    this.#readers.add(reader)
    return reader
  }

  #end(reader: Reader): void {
    this.#readers.delete(reader)
    reader.process.kill('SIGKILL')
  }
}

/** A process with a question keeps this one running; an idle one must not keep a finished command alive. */
function hold(child: ChildProcess): void {
  child.ref()
  child.channel?.ref()
}

function release(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
}
