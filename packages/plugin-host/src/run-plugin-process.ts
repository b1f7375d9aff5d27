import { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { lockDown } from './lockdown.ts'
import { runPlugin } from './plugin-runner.ts'
import { Scratch } from './scratch.ts'
import { openStreamWire } from './stream-wire.ts'

const channelDescriptor = 3
const scratchInDescriptor = 4
const scratchOutDescriptor = 5
const mebibyte = 1_048_576
/**
 * The room for new objects takes its full size the first time it is too small: a batch of customers then arrives in
 * it, instead of being moved about in ever larger ones. As a flag, so that the single binary has it as well.
 */
const growAtOnce = '--semi-space-growth-factor=16'

/**
 * Runs one plugin in this process until the server closes the channel. The last arguments of the process are the MiB
 * that a message may hold, without typed arrays and in them (more would end the plugin, so it is told before), and
 * whether there are scratch files for large ones.
 */
export function runPluginProcess(): void {
  setFlagsFromString(growAtOnce)
  const channel = new Socket({ fd: channelDescriptor, readable: true, writable: true })
  channel.on('close', () => process.exit())
  channel.on('error', () => process.exit())
  const [structure = 0, binary = 0, hasScratch = 0] = process.argv.slice(-3).map(Number)
  lockDown()
  runPlugin(
    openStreamWire(channel, {
      sends: { structure: structure * mebibyte, binary: binary * mebibyte },
      accepts: { structure: Infinity, binary: Infinity },
      scratch: hasScratch ? new Scratch(scratchOutDescriptor, scratchInDescriptor) : undefined,
    }),
  )
}
