import type { OrderFormat } from './format.ts'

/** A book-keeping list of invoice lines; an invoice whose number begins with C is a credit note. */
export const invoiceLines: OrderFormat = {
  id: 'invoice-lines',
  title: { en: 'Invoice lines', 'zh-CN': '发票明细' },
  platform: 'invoice',
  fingerprints: [
    ['InvoiceNo', 'Quantity', 'InvoiceDate', 'UnitPrice'],
    ['Invoice', 'StockCode', 'Quantity', 'InvoiceDate', 'Price'],
  ],
  fields: {
    order_id: ['InvoiceNo', 'Invoice'],
    customer_id: ['CustomerID', 'Customer ID'],
    created_at: ['InvoiceDate'],
    product_id: ['StockCode'],
    product_name: ['Description'],
    quantity: ['Quantity'],
    unit_price: ['UnitPrice', 'Price'],
    country: ['Country'],
  },
  amounts: 'line',
  cancelPrefix: 'C',
}
