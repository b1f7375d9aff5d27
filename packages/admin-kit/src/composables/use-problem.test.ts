import { expect, test } from 'vitest'
import { createI18n } from 'vue-i18n'
import { ApiError } from '../api/http.ts'
import { translateProblem } from './use-problem.ts'

const messages = {
  'zh-CN': {
    errors: {
      E_FILE_QUOTE: { text: '第 {row} 行没有结束', hint: '请检查引号。' },
      E_MAPPING_FIELD: { text: '没有「{name}」这个字段', hint: '是不是 {near}？' },
      E_INVALID: { text: '不符合要求：{where}' },
    },
  },
}
const { global: words } = createI18n({ legacy: false, locale: 'zh-CN', messages, missingWarn: false })
const say = (failure: unknown) =>
  translateProblem(failure, words as unknown as Parameters<typeof translateProblem>[1])

test('a known code is said in the language of the reader, with the facts of the case', () => {
  const problem = {
    status: 400,
    code: 'E_FILE_QUOTE',
    title: 'E_FILE_QUOTE',
    detail: 'Row 7 does not end',
    hint: 'Look',
    details: { row: 7 },
  }
  expect(say(new ApiError(problem))).toEqual({
    status: 400,
    code: 'E_FILE_QUOTE',
    title: '第 7 行没有结束',
    hint: '请检查引号。',
  })
})

test('an error that was stored with a job or an import is said as well', () => {
  expect(say({ code: 'E_FILE_QUOTE', message: 'Row 7 does not end', details: { row: 7 } }).title).toBe(
    '第 7 行没有结束',
  )
})

test('what the server did not tell is not left blank', () => {
  expect(say({ code: 'E_FILE_QUOTE', message: 'Row 7 does not end' }).title).toBe('Row 7 does not end')
  expect(say({ code: 'E_MAPPING_FIELD', message: 'x', details: { name: 'ordr', near: [] } })).toEqual({
    status: 0,
    code: 'E_MAPPING_FIELD',
    title: '没有「ordr」这个字段',
  })
  expect(
    say({ code: 'E_MAPPING_FIELD', message: 'x', details: { name: 'ordr', near: ['order', 'orders'] } }).hint,
  ).toBe('是不是 order, orders？')
})

test('a refused form says where the mistakes are', () => {
  const details = {
    mistakes: [
      { path: 'name', message: 'too short' },
      { path: '', message: 'no' },
      { path: 'rule.all.0', message: 'no' },
    ],
  }
  expect(say({ code: 'E_INVALID', message: 'name: too short', details }).title).toBe(
    '不符合要求：name, rule.all.0',
  )
})

test('an unknown code keeps the words of the server', () => {
  expect(say({ code: 'E_PLUGIN', message: 'It stumbled', hint: 'Disable it' })).toMatchObject({
    title: 'It stumbled',
    hint: 'Disable it',
  })
  expect(say(new Error('boom'))).toMatchObject({ code: '', title: 'boom' })
})
