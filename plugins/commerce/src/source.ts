import type { Source } from '@huitou/plugin-api'
import { convertOrders, groupKeys } from './convert.ts'
import { recogniseOrders, type BrandDefaults } from './recognise.ts'
import { answerWebhook } from './webhooks/answer.ts'

/** The source `orders`: files of any shop, and webhooks of Shopify and WooCommerce. */
export function createOrdersSource(
  brand: BrandDefaults,
  settings: () => Readonly<Record<string, unknown>> = () => ({}),
): Required<Source> {
  return {
    recognise: (sample) => recogniseOrders(sample, brand),
    groupKeys: (rows, mapping) => groupKeys(rows, mapping),
    convert: (groups, mapping, headers) => convertOrders(groups, mapping, headers),
    handleWebhook: (request) =>
      answerWebhook({ ...request, settings: { ...settings(), ...request.settings } }),
  }
}
