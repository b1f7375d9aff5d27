import path from 'node:path'
import { testContracts } from '@huitou/testing/contracts'

const dir = path.dirname(import.meta.dirname)
await testContracts(dir, { with: [path.join(dir, '../gift-desk')] })
