import { expect, test } from 'vitest'
import { machineError } from './machine-error.ts'

test.each([
  ['SQLITE_NOTADB', 'E_DATABASE_DAMAGED'],
  ['SQLITE_CORRUPT_INDEX', 'E_DATABASE_DAMAGED'],
  ['SQLITE_FULL', 'E_DISK_FULL'],
  ['EACCES', 'E_DATA_FOLDER'],
  ['28P01', 'E_DATABASE_SIGN_IN'],
  ['3D000', 'E_DATABASE_MISSING'],
  ['42501', 'E_DATABASE_RIGHTS'],
  ['ECONNREFUSED', 'E_DATABASE_AWAY'],
])('%s is said as %s', (code, wanted) => {
  const said = machineError(Object.assign(new Error('no'), { code }))
  expect(said).toMatchObject({ code: wanted, message: expect.stringContaining('no') as string })
})

test('what nobody foresaw stays as it is', () => {
  expect(machineError(new TypeError('no'))).toBeUndefined()
  expect(machineError(Object.assign(new Error('no'), { code: '42601' }))).toBeUndefined()
})
