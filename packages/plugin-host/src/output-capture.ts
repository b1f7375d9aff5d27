import type { Readable } from 'node:stream'

const linesPerSecond = 50
const bytesPerSecond = 4_194_304
const longestLine = 2_000

/**
 * Hands what is written to `output` to `onLine`, line by line, so many a second; what is beyond is dropped, and says
 * so. Whoever writes without end is read no faster than a few megabytes a second.
 */
export function captureOutput(output: Readable, onLine: (line: string) => void): void {
  let rest = ''
  let lines = 0
  let bytes = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  const emit = (line: string) => {
    if (line === '') return
    if (lines++ < linesPerSecond) onLine(line.slice(0, longestLine))
    else dropped++
  }
  const nextSecond = () => {
    timer = undefined
    if (dropped > 0) onLine(`… ${dropped} more lines`)
    lines = bytes = dropped = 0
    output.resume()
  }
  output.on('data', (chunk: Buffer | string) => {
    timer ??= setTimeout(nextSecond, 1_000).unref()
    bytes += chunk.length
    if (bytes > bytesPerSecond) output.pause()
    const parts = (rest + (lines < linesPerSecond ? chunk.toString() : '\n')).split('\n')
    rest = (parts.pop() ?? '').slice(0, longestLine)
    for (const part of parts) emit(part)
  })
  output.on('end', () => emit(rest))
  output.on('close', () => clearTimeout(timer))
  output.on('error', () => {})
}
