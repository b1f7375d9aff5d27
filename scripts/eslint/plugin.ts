import type { ESLint } from 'eslint'
import { fileNames } from './file-names.ts'
import { importDirection } from './import-direction.ts'
import { noOutsideWorkInTransaction } from './no-outside-work-in-transaction.ts'

/** Huitou's own rules. Each message says what to do instead. */
export const huitouPlugin: ESLint.Plugin = {
  meta: { name: 'huitou' },
  rules: {
    'file-names': fileNames,
    'import-direction': importDirection,
    'no-outside-work-in-transaction': noOutsideWorkInTransaction,
  },
}
