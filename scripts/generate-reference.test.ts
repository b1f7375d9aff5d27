import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { referencePages } from './generate-reference.ts'

const root = path.dirname(import.meta.dirname)

test.each([...referencePages()])(
  '%s says what the manifest says; else run node scripts/generate-reference.ts',
  (page, text) => {
    expect(readFileSync(path.join(root, page), 'utf8')).toBe(text)
  },
)
