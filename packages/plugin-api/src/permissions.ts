import type { Texts } from './localized.ts'

/**
 * What a plugin asks to be allowed, and what its owner granted: the same shape for both. Everything not listed is
 * refused with `E_PERMISSION`, whose details name the plugin, the permission and the thing. In patterns `*` stands
 * for any run of characters.
 */
export interface Permissions {
  /** Profile columns it may read; `commerce_*` reads all of one plugin. Its own columns need no permission. */
  'profile.read'?: string[]
  /** Traits and kinds of identifier (`phone`, `email`, `name` …) that it may read, filter and sort in clear. */
  'profile.pii'?: string[]
  /** Types of event that it may read and sum up. */
  'events.read'?: string[]
  /** Types of event that it may write. */
  'events.append'?: string[]
  /** May put tags on customers and take them off. */
  'customers.tag'?: boolean
  /** Channels it may send through: ids of channels, `publisher.name/id`. */
  'deliveries.send'?: string[]
  /**
   * Hosts it may talk to: `api.example.com`, `*.example.com`, each with an optional `:port`. Addresses of private
   * networks only when named literally.
   */
  network?: string[]
  /** Collections of other plugins, `publisher.name/id`. Its own need no permission. */
  collections?: string[]
  /** May create tasks for people. */
  'tasks.create'?: boolean
  /** May keep secrets of its own, encrypted at rest. */
  secrets?: boolean
  /** May be started by the clock. */
  schedule?: boolean
  /** May use the models that the owner connected. */
  ai?: boolean
}

export type PermissionName = keyof Permissions

export interface PermissionDescription {
  readonly id: PermissionName
  /** `list` permissions name things, `switch` permissions are given or not. */
  readonly kind: 'list' | 'switch'
  /** What the owner reads before granting it. */
  readonly title: Texts
  readonly description: Texts
}

const permission = (
  id: PermissionName,
  kind: PermissionDescription['kind'],
  title: Texts,
  description: Texts,
): PermissionDescription => ({ id, kind, title, description })

/** Every permission in plain words, in the order in which an owner reads them. */
export const permissionCatalogue: readonly PermissionDescription[] = [
  permission(
    'profile.read',
    'list',
    { en: 'Read customer profiles', 'zh-CN': '读取客户画像' },
    {
      en: 'The columns named here, for every customer.',
      'zh-CN': '读取所有客户在这些列上的值。',
    },
  ),
  permission(
    'profile.pii',
    'list',
    { en: 'Read personal data in clear', 'zh-CN': '读取个人信息原文' },
    {
      en: 'Phone numbers, addresses, names and the like, unmasked; also to search, sort and count by them.',
      'zh-CN': '读取未打码的手机号、地址、姓名等，并可据此搜索、排序与统计。',
    },
  ),
  permission(
    'events.read',
    'list',
    { en: 'Read what customers did', 'zh-CN': '读取客户行为' },
    { en: 'Events of the types named here.', 'zh-CN': '读取这些类型的事件。' },
  ),
  permission(
    'events.append',
    'list',
    { en: 'Record events', 'zh-CN': '写入事件' },
    {
      en: 'Adds events of the types named here to customers’ histories.',
      'zh-CN': '在客户的历史里写入这些类型的事件。',
    },
  ),
  permission(
    'customers.tag',
    'switch',
    { en: 'Tag customers', 'zh-CN': '给客户打标签' },
    { en: 'Puts tags on customers and takes them off.', 'zh-CN': '给客户添加或移除标签。' },
  ),
  permission(
    'deliveries.send',
    'list',
    { en: 'Send messages', 'zh-CN': '发送消息' },
    {
      en: 'Through the channels named here, within consent, quiet hours and caps.',
      'zh-CN': '通过这些渠道发送，仍受同意、静默时段与频次上限约束。',
    },
  ),
  permission(
    'network',
    'list',
    { en: 'Talk to other servers', 'zh-CN': '访问外部服务器' },
    {
      en: 'Only the hosts named here. What it may read, it can send there.',
      'zh-CN': '仅限这些主机。它能读取的内容都可能被发送到那里。',
    },
  ),
  permission(
    'collections',
    'list',
    { en: 'Use records of other plugins', 'zh-CN': '使用其他插件的记录' },
    { en: 'Reads and changes the collections named here.', 'zh-CN': '读取并修改这些数据集。' },
  ),
  permission(
    'tasks.create',
    'switch',
    { en: 'Create tasks', 'zh-CN': '创建任务' },
    { en: 'Puts tasks on the lists of your employees.', 'zh-CN': '在员工的任务列表里添加任务。' },
  ),
  permission(
    'secrets',
    'switch',
    { en: 'Keep secrets', 'zh-CN': '保存密钥' },
    { en: 'Stores keys and tokens of its own, encrypted.', 'zh-CN': '加密保存它自己的密钥与令牌。' },
  ),
  permission(
    'schedule',
    'switch',
    { en: 'Run on a schedule', 'zh-CN': '定时运行' },
    { en: 'Is started at set times, without anybody asking.', 'zh-CN': '到设定的时间自动运行。' },
  ),
  permission(
    'ai',
    'switch',
    { en: 'Use AI models', 'zh-CN': '使用 AI 模型' },
    {
      en: 'Sends text to the models that you connected; their use may cost money.',
      'zh-CN': '把文本发送给您接入的模型，可能产生费用。',
    },
  ),
]
