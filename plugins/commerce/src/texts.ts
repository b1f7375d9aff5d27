/** Texts that a person reads and that no manifest can hold, in the brand's language. */
export type Locale = 'zh-CN' | 'en'

export function toLocale(locale: string | undefined): Locale {
  return locale?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

/** What is wrong with a row, by code. */
export const PROBLEM_TEXTS = {
  E_ROW_NO_ORDER_ID: { en: 'The row has no order number', 'zh-CN': '该行没有订单编号' },
  E_ROW_ID_SCIENTIFIC: {
    en: 'A spreadsheet has rounded the order number; export the file again and do not open it before importing',
    'zh-CN': '订单编号被表格软件写成了科学计数法，已无法还原；请重新导出，导入前不要用表格软件打开保存',
  },
  E_ROW_NO_CUSTOMER: {
    en: 'Nothing in the row says who the customer is',
    'zh-CN': '该行没有可以识别客户的信息',
  },
  E_ROW_CUSTOMER_MASKED: {
    en: 'Everything that could name the customer is masked or encrypted',
    'zh-CN': '能识别客户的信息都已脱敏或加密',
  },
  E_ROW_NO_TIME: { en: 'The order has no time that can be read', 'zh-CN': '订单没有可以识别的时间' },
  E_ROW_TIME: { en: 'The time cannot be read and was left out', 'zh-CN': '时间无法识别，已忽略' },
  E_ROW_MONEY: { en: 'The amount cannot be read and was left out', 'zh-CN': '金额无法识别，已忽略' },
  E_ROW_LINE_LEFT_OUT: {
    en: 'Quantity or price is not above zero; the line was left out of the order',
    'zh-CN': '数量或单价不大于 0，该行未计入订单',
  },
  E_ROW_NO_LINE: {
    en: 'No line of the order has a quantity and a price above zero',
    'zh-CN': '订单没有一行数量和单价都大于 0',
  },
  E_ROW_STATUS_UNKNOWN: {
    en: 'The order status is unknown; only what the times show was imported',
    'zh-CN': '订单状态无法识别，仅按各项时间导入',
  },
  E_ROW_TOTALS_DIFFER: {
    en: 'Rows of one order state different totals; the largest was taken',
    'zh-CN': '同一订单的各行金额不一致，取最大值',
  },
} as const

export type ProblemCode = keyof typeof PROBLEM_TEXTS

/** Why the meaning of a column is doubted. */
export const DOUBT_TEXTS = {
  heading: { en: 'The heading resembles this field', 'zh-CN': '根据相近的表头推测' },
  values: { en: 'Guessed from the values', 'zh-CN': '根据内容推测' },
  dateOrder: {
    en: 'Day and month cannot be told apart in these dates; please check the order',
    'zh-CN': '无法从日期中区分日和月的先后，请核对',
  },
  dateConflict: {
    en: 'The dates of this column mix two orders of day and month',
    'zh-CN': '该列日期混用了两种日月顺序',
  },
} as const
