import { runMain } from 'citty'
import { huitouCommand } from './cli/huitou.ts'

await runMain(huitouCommand)
