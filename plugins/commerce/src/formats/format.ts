import type { FieldId } from '../fields.ts'

/** What one kind of order file looks like and how its figures are meant. Plain data; a new marketplace is a new value. */
export interface OrderFormat {
  /** Stands in mappings that were saved: never changes. */
  id: string
  title: { en: string; 'zh-CN': string }
  /** Where the orders were placed; part of buyer identifiers. */
  platform: string
  /** The file is of this format when it has every heading of one of these sets. */
  fingerprints: string[][]
  /** Headings per field, the preferred first. */
  fields: Partial<Record<FieldId, string[]>>
  /**
   * `order`: money columns speak of the whole order and repeat on each of its rows; `line`: each row has its share;
   * `auto`: the rows themselves show it.
   */
  amounts: 'order' | 'line' | 'auto'
  currency?: string
  timeZone?: string
  /** The paid amount has refunds taken off already. */
  paidIsNet?: boolean
  /** An order that was paid and is closed has been refunded in full. */
  closedMeansRefunded?: boolean
  /** Invoices whose number begins so give money back. */
  cancelPrefix?: string
  /** Joins the items of an order inside one row. */
  joiner?: string
  /** `anonymous` keeps orders whose buyer the file does not know, each as a visitor of its own. */
  withoutCustomer?: 'skip' | 'anonymous'
}
