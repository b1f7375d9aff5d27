import { runPluginProcess } from './run-plugin-process.ts'

runPluginProcess()
