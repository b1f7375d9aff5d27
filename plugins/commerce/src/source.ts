import type { Source } from '@huitou/plugin-api'
import { convertOrders, groupKeys } from './convert.ts'
import { recogniseOrders, type BrandDefaults } from './recognise.ts'

/** The source `orders`: files of any shop. */
export function createOrdersSource(brand: BrandDefaults): Required<Pick<Source, 'recognise' | 'groupKeys' | 'convert'>> {
  return {
    recognise: (sample) => recogniseOrders(sample, brand),
    groupKeys: (rows, mapping) => groupKeys(rows, mapping),
    convert: (groups, mapping, headers) => convertOrders(groups, mapping, { headers, locale: brand.locale }),
  }
}
