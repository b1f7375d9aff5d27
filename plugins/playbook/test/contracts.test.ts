import path from 'node:path'
import { testContracts } from '@huitou/testing/contracts'

await testContracts(path.dirname(import.meta.dirname))
