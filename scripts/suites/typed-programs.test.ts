import { globSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from './run-tool.ts'
import { typedPrograms } from './typed-programs.ts'

test('types are checked in every folder that has a configuration for them, once', () => {
  const folders = globSync('{*,*/*}/tsconfig.json', { cwd: root, exclude: (name) => name === 'node_modules' })
  const checked = typedPrograms().flatMap((program) => program.folders)
  expect(checked.toSorted()).toEqual(folders.map((file) => path.dirname(file)).toSorted())
})

test('folders share a program only when they agree in every option', () => {
  const programs = typedPrograms()
  const options = programs.map(({ checker, config }) => JSON.stringify([checker, config]))
  expect(new Set(options).size).toBe(programs.length)
  const browserNames = (folder: string) =>
    JSON.stringify(programs.find(({ folders }) => folders.includes(folder))?.config).includes('"dom"')
  expect([browserNames('packages/core'), browserNames('apps/server')]).toEqual([false, true])
})
