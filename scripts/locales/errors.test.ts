import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readMessages } from './messages.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** Codes of errors that a person may meet: the caller's own and the world's, not those that are bugs. */
const RAISED = /(?:userError|unknownName)\(\s*'(E_[A-Z_]+)'|AppError\(\s*'(?:user|world)',\s*'(E_[A-Z_]+)'/g

function raisedCodes(): Set<string> {
  const files = globSync('packages/core/src/**/*.ts', { cwd: root }).filter(
    (file) => !/(\.test|-fixture)\.ts$/.test(file),
  )
  const codes = files.flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(RAISED)].map(
      ([, user, world]) => user ?? world ?? '',
    ),
  )
  return new Set(codes)
}

test.each(['en', 'zh-CN'])('every error of the core has a text in %s, and every text an error', (locale) => {
  const texts = [...readMessages(root, locale).keys()].filter((key) => /^errors\..*\.text$/.test(key))
  expect(texts.map((key) => key.split('.')[1]).toSorted()).toEqual([...raisedCodes()].toSorted())
})
