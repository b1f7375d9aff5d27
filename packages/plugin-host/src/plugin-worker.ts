import { parentPort } from 'node:worker_threads'
import { runPlugin } from './plugin-runner.ts'

const port = parentPort
if (!port) throw new Error('plugin-worker.ts runs in a worker thread')

runPlugin({
  post: (message, transfer) => port.postMessage(message, transfer),
  onMessage: (listener) => port.on('message', listener),
})
