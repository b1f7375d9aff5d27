import { expect, test } from 'vitest'
import { cleanCell, cleanId, cleanToken, headingKey, isMasked, isScientific } from './cells.ts'

test.each([
  ['="1930679858170647"', '1930679858170647'],
  ["'18618486065", '18618486065'],
  ['\t6917926768823643751', '6917926768823643751'],
  ['\uFEFF订单编号', '订单编号'],
  ['收货地址 ', '收货地址'],
  ['  上海　', '上海'],
  ['"quoted"', 'quoted'],
  ["'s-Hertogenbosch", "'s-Hertogenbosch"],
  ['-', ''],
  ['——', ''],
  ['null', ''],
  ['NULL', ''],
  ['N/A', ''],
  ['0', '0'],
  ['', ''],
  ['买家已付款，等待卖家发货', '买家已付款，等待卖家发货'],
])('the cell %j says %j', (cell, text) => {
  expect(cleanCell(cell)).toBe(text)
})

test('a missing cell says nothing', () => {
  expect(cleanCell(undefined)).toBe('')
})

test('full-width letters and punctuation in ids and codes become plain', () => {
  expect(cleanToken('ＡＢ－１２（３）')).toBe('AB-12(3)')
})

test.each([
  ['17850.0', '17850'],
  ['00004', '00004'],
  ['6917926768823643751', '6917926768823643751'],
  ['12.50', '12.50'],
])('the id %j is kept as %j', (cell, id) => {
  expect(cleanId(cell)).toBe(id)
})

test.each(['1.93068E+18', '6.9179e+18', '2E+19'])('%s is an id that a spreadsheet destroyed', (id) => {
  expect(isScientific(id)).toBe(true)
})

test.each(['1E10', '536365', 'C536365', 'E12', '12E'])('%s is an id like any other', (id) => {
  expect(isScientific(id)).toBe(false)
})

test.each(['1******6198', '张**', '##密文', '$$abc', '138xxxx1234', 't**1'])('%s is masked', (text) => {
  expect(isMasked(text)).toBe(true)
})

test.each(['13800001111', '张三', 'Max Xavier', 'a@b.cn'])('%s is in clear', (text) => {
  expect(isMasked(text)).toBe(false)
})

test('headings are compared without blanks, case, width and underscores', () => {
  expect(headingKey('Customer_ID ')).toBe(headingKey('customer id'))
  expect(headingKey('收货人（提货人）')).toBe(headingKey('收货人(提货人)'))
})
