import type { Mapping, ProblemChoice, Texts } from '@huitou/plugin-api'

/** Texts that a person reads and that no manifest can hold. */
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
  E_ROW_TIME: { en: 'The time cannot be read', 'zh-CN': '时间无法识别' },
  E_ROW_MONEY: { en: 'The amount cannot be read', 'zh-CN': '金额无法识别' },
  E_ROW_LINE_LEFT_OUT: {
    en: 'Quantity or price of the line is not above zero',
    'zh-CN': '该行的数量或单价不大于 0',
  },
  E_ROW_NO_LINE: {
    en: 'No line of the order has a quantity and a price above zero',
    'zh-CN': '订单没有一行数量和单价都大于 0',
  },
  E_ROW_STATUS_UNKNOWN: {
    en: 'The order status is unknown',
    'zh-CN': '订单状态无法识别',
  },
  E_ROW_TOTALS_DIFFER: {
    en: 'Rows of one order state different totals',
    'zh-CN': '同一订单的各行金额不一致',
  },
} as const satisfies Record<string, Texts>

export type ProblemCode = keyof typeof PROBLEM_TEXTS

const LEAVE_ORDER_OUT = { en: 'Leave the order out', 'zh-CN': '跳过整笔订单' }

/** What can be done about a problem, the default first. Orders of other problems cannot be imported. */
export const PROBLEM_CHOICES: Partial<Record<ProblemCode, ProblemChoice[]>> = {
  E_ROW_NO_CUSTOMER: customerChoices(),
  E_ROW_CUSTOMER_MASKED: customerChoices(),
  E_ROW_TIME: mendChoices('E_ROW_TIME', { en: 'Import without this time', 'zh-CN': '忽略该时间后导入' }),
  E_ROW_MONEY: mendChoices('E_ROW_MONEY', { en: 'Import without this amount', 'zh-CN': '忽略该金额后导入' }),
  E_ROW_LINE_LEFT_OUT: mendChoices('E_ROW_LINE_LEFT_OUT', {
    en: 'Import the order without this line',
    'zh-CN': '不计该行，导入订单',
  }),
  E_ROW_STATUS_UNKNOWN: mendChoices('E_ROW_STATUS_UNKNOWN', {
    en: 'Import what the times show',
    'zh-CN': '按各项时间导入',
  }),
  E_ROW_TOTALS_DIFFER: mendChoices('E_ROW_TOTALS_DIFFER', {
    en: 'Import with the largest total',
    'zh-CN': '按最大金额导入',
  }),
}

/** Whether somebody chose to leave out orders with a problem that is otherwise mended. */
export function isLeftOut(code: string, options: Mapping['options']): boolean {
  return options[code] === 'skipped'
}

function mendChoices(code: ProblemCode, mended: Texts): ProblemChoice[] {
  return [
    { title: mended, options: { [code]: 'mended' } },
    { title: LEAVE_ORDER_OUT, options: { [code]: 'skipped' } },
  ]
}

function customerChoices(): ProblemChoice[] {
  return [
    { title: LEAVE_ORDER_OUT, options: { withoutCustomer: 'skip' } },
    {
      title: { en: 'Import as an anonymous order', 'zh-CN': '作为匿名订单导入' },
      options: { withoutCustomer: 'anonymous' },
    },
  ]
}

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
} as const satisfies Record<string, Texts>
