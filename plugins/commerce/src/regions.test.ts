import { expect, test } from 'vitest'
import { findRegion, toProvince } from './regions.ts'

test.each([
  ['广东省 深圳市 南山区 某路 1 号', { province: '广东省', city: '深圳市' }],
  ['广东深圳市南山区', { province: '广东省', city: '深圳市' }],
  ['上海 上海市 静安区', { province: '上海', city: '上海市' }],
  ['上海', { province: '上海' }],
  ['内蒙古自治区 呼和浩特市', { province: '内蒙古自治区', city: '呼和浩特市' }],
  ['云南省大理白族自治州', { province: '云南省', city: '大理白族自治州' }],
  [
    '王五，86-13800001111，浙江省 杭州市 西湖区',
    { province: '浙江省', city: '杭州市', phone: '13800001111' },
  ],
  ['##密文', {}],
  ['10 Downing Street', {}],
  ['', {}],
])('%j lies in %j', (address, region) => {
  expect(findRegion(address)).toEqual(region)
})

test('one province has one name', () => {
  expect(toProvince('广东')).toBe(toProvince('广东省'))
  expect(toProvince('São Paulo')).toBe('São Paulo')
})
