import { parentPort, workerData } from 'node:worker_threads'
import { providePluginApi } from '../src/provide-plugin-api.ts'

providePluginApi()
providePluginApi()
const { default: answer } = (await import(workerData as string)) as { default: unknown }
parentPort?.postMessage(answer)
