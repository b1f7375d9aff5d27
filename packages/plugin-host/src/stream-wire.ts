import type { Duplex } from 'node:stream'
import { decodeFrame, encodeFrame, FrameAssembler, isReply, releaseFrame, setPlace } from './frame.ts'
import type { Frame, FrameLimits } from './frame.ts'
import { checkMessage } from './message-guard.ts'
import type { Message, Wire } from './peer.ts'
import type { Scratch } from './scratch.ts'
import { Throttle } from './throttle.ts'
import type { ThrottleRates } from './throttle.ts'

export interface StreamWireOptions {
  /** Largest message that may leave. */
  sends: FrameLimits
  /** Largest message that may arrive. */
  accepts: FrameLimits
  /** Where the bodies of large messages go; all through the channel when absent. */
  scratch?: Scratch | undefined
}

/** The plugin's end of a stream between two processes: it believes what the server says. */
export function openStreamWire(stream: Duplex, options: StreamWireOptions): Wire {
  const assembler = openAssembler(stream, options)
  return {
    post: (message) => writeFrame(stream, message, options),
    onMessage(listener) {
      stream.on('data', (bytes: Buffer) => {
        assembler.push(bytes)
        for (let frame = assembler.next(); frame; frame = assembler.next())
          listener(decodeFrame(frame) as Message)
      })
    },
  }
}

export interface GuardedWireOptions extends StreamWireOptions {
  /** What it may send in a second; it is read no faster. */
  rates: ThrottleRates
  /** Bytes that may wait to be read by the other side. */
  backlog: number
  /** Whether a call with this id waits for its answer; answers that nobody waits for are not even decoded. */
  isWaiting(id: number): boolean
  /** The other side broke the protocol; nothing more is read from it. */
  onViolation(error: Error): void
  /** It was held back because it sent too much; `strikes` counts the seconds in a row. */
  onThrottled(strikes: number): void
}

/** The server's end of a stream to a process that may send anything at all, at any speed. */
export function openGuardedWire(stream: Duplex, options: GuardedWireOptions): Wire {
  const assembler = openAssembler(stream, options)
  const throttle = new Throttle(options.rates, options.onThrottled)
  let listener: ((message: Message) => void) | undefined
  let broken = false

  function fail(error: Error): void {
    broken = true
    stream.pause()
    options.onViolation(error)
  }

  /** An answer that was asked for costs nothing: there are no more of them than calls. */
  function deliver(frame: Frame): void {
    const { answerTo, structure } = frame
    const expected = answerTo !== 0 && options.isWaiting(answerTo)
    if (!expected) throttle.spend(structure.byteLength)
    if (answerTo !== 0 && !expected) return
    const message = checkMessage(decodeFrame(frame))
    if ((isReply(message) ? message.id : 0) !== answerTo)
      throw new Error('A message comes under another name')
    listener?.(message)
  }

  function drain(): void {
    try {
      for (;;) {
        if (broken) return
        if (throttle.isSpent()) {
          stream.pause()
          throttle.whenRefilled(drain)
          return
        }
        const frame = assembler.next()
        if (!frame) break
        deliver(frame)
      }
      stream.resume()
    } catch (error) {
      fail(error as Error)
    }
  }

  stream.on('close', () => throttle.dispose())
  return {
    post(message) {
      if (broken || stream.destroyed) return
      writeFrame(stream, message, options)
      if (stream.writableLength > options.backlog) fail(new Error('It does not read what it is sent'))
    },
    onMessage(next) {
      listener = next
      stream.on('data', (bytes: Buffer) => {
        assembler.push(bytes)
        drain()
      })
    },
  }
}

/** Reads bodies from where they are, and says so at once: the other side may then put the next one there. */
function openAssembler(stream: Duplex, { accepts, scratch }: StreamWireOptions): FrameAssembler {
  if (!scratch) return new FrameAssembler(accepts)
  return new FrameAssembler(accepts, {
    release: () => scratch.release(),
    take(parts) {
      scratch.take(parts)
      stream.write(releaseFrame())
    },
  })
}

function writeFrame(stream: Duplex, message: Message, { sends, scratch }: StreamWireOptions): void {
  const { header, body } = encodeFrame(message, sends)
  if (scratch?.put(body)) {
    stream.write(setPlace(header, 'scratch'))
    return
  }
  stream.cork()
  for (const part of [header, ...body]) stream.write(part)
  stream.uncork()
}
