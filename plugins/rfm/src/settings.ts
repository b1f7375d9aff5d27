export type Method = 'rank' | 'quantile' | 'fixed' | 'rfm_r'
export type Scheme = 'huitou' | 'rfm_r'

/** The plugin's settings in their settled form. */
export interface RfmSettings {
  method: Method
  scheme: Scheme
  monetary: 'spend' | 'net_spend'
  /** `auto`, `today`, or a date. */
  reference: string
  /** Four each, used by `fixed`: days at most, orders at least, amount at least in the currency's major unit. */
  thresholds: { recency: number[]; frequency: number[]; monetary: number[] }
}

/** Reads settings that the host has checked against the manifest's schema. */
export function readSettings(values: Readonly<Record<string, unknown>>): RfmSettings {
  const reference = values.reference as string
  return {
    method: values.method as Method,
    scheme: values.scheme as Scheme,
    monetary: values.monetary as RfmSettings['monetary'],
    reference: reference === 'date' ? ((values.referenceDate as string | undefined) ?? 'auto') : reference,
    thresholds: {
      recency: ascending(values.recencyThresholds),
      frequency: ascending(values.frequencyThresholds),
      monetary: ascending(values.monetaryThresholds),
    },
  }
}

/** Minor units in one major unit of a currency: 100 for CNY, 1 for JPY. */
export function minorPerMajor(currency: string): number {
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions()
  return 10 ** maximumFractionDigits
}

function ascending(value: unknown): number[] {
  return (value as number[]).toSorted((a, b) => a - b)
}
