import type { Contributions } from './contributions.ts'
import type { Texts } from './localized.ts'

export type PointName = keyof Contributions

/** A contribution point: what it is for, whether anything reads it yet, and what a plugin implements. */
export interface PointDescription {
  readonly id: PointName
  readonly title: Texts
  readonly description: Texts
  /**
   * `now`: contributions have an effect. `later`: they are checked and listed, and have none until the capability
   * `comesWith` is there.
   */
  readonly engine: 'now' | 'later'
  readonly comesWith?: Texts
  /** Activation event that a contribution implies; `<id>` stands for its id. Absent when no code is involved. */
  readonly activation?: string
  /** Methods that are registered for a contribution; `?` marks one that may be left out. */
  readonly implements: readonly string[]
}

const text = (en: string, zh: string): Texts => ({ en, 'zh-CN': zh })

const serviceDesk = text('the service desk', '客服台')
const ai = text('connected AI models', '接入 AI 模型')

const points: { readonly [Point in PointName]-?: Omit<PointDescription, 'id'> } = {
  events: {
    title: text('Event types', '事件类型'),
    description: text('Names, properties and fact keys of events.', '事件的名称、属性与事实键。'),
    engine: 'now',
    implements: [],
  },
  features: {
    title: text('Features', '特征'),
    description: text('Profile columns folded from events.', '由事件汇总而成的画像列。'),
    engine: 'now',
    implements: [],
  },
  scorers: {
    title: text('Scorers', '评分'),
    description: text('Profile columns computed over all customers.', '对全部客户计算得到的画像列。'),
    engine: 'now',
    activation: 'onScorer:<id>',
    implements: ['fit?', 'score'],
  },
  segmenters: {
    title: text('Segmenters', '分群'),
    description: text(
      'One label for each customer, by code or by rules alone; each label is a segment.',
      '给每位客户一个标签，用代码或仅用规则；每个标签就是一个人群。',
    ),
    engine: 'now',
    activation: 'onSegmenter:<id>',
    implements: ['assign'],
  },
  reports: {
    title: text('Reports', '报表'),
    description: text('Pages of ready-made blocks.', '由现成图块组成的页面。'),
    engine: 'now',
    activation: 'onReport:<id>',
    implements: ['run'],
  },
  sources: {
    title: text('Sources', '数据来源'),
    description: text('Files that can be imported, and webhooks.', '可导入的文件与 Webhook。'),
    engine: 'now',
    activation: 'onSource:<id>',
    implements: ['recognise?', 'groupKeys?', 'convert?', 'handleWebhook?'],
  },
  collections: {
    title: text('Collections', '数据集'),
    description: text(
      'Records of a plugin’s own, with search, REST API and pages.',
      '插件自己的记录，自带搜索、REST 接口与页面。',
    ),
    engine: 'now',
    activation: 'onCollection:<id>',
    implements: ['validate?', 'afterChange?'],
  },
  views: {
    title: text('Views', '视图'),
    description: text('Pages and panels in the admin app.', '后台中的页面与面板。'),
    engine: 'now',
    activation: 'onView:<id>',
    implements: ['<call>?'],
  },
  viewsContainers: {
    title: text('View containers', '视图容器'),
    description: text('Entries of the activity bar that hold views.', '活动栏中容纳视图的入口。'),
    engine: 'now',
    implements: [],
  },
  commands: {
    title: text('Commands', '命令'),
    description: text('Entries of the command palette.', '命令面板中的条目。'),
    engine: 'now',
    activation: 'onCommand:<id>',
    implements: ['run'],
  },
  configuration: {
    title: text('Settings', '设置'),
    description: text(
      'Settings as JSON Schema, drawn as a form.',
      '以 JSON Schema 描述的设置，自动生成表单。',
    ),
    engine: 'now',
    implements: [],
  },
  extensionPoints: {
    title: text('Extension points', '扩展点'),
    description: text(
      'Points of a plugin’s own that others contribute to.',
      '插件自己定义、供其他插件贡献的扩展点。',
    ),
    engine: 'now',
    implements: [],
  },
  extensions: {
    title: text('Extensions', '扩展'),
    description: text('Contributions to points of other plugins.', '对其他插件扩展点的贡献。'),
    engine: 'now',
    activation: 'onExtension:<point>',
    implements: ['<method>'],
  },
  channels: {
    title: text('Channels', '渠道'),
    description: text('Ways to reach customers.', '触达客户的方式。'),
    engine: 'now',
    activation: 'onChannel:<id>',
    implements: ['send', 'poll?', 'lookUp?', 'remind?', 'withdraw?', 'handleWebhook?', 'verifySettings?'],
  },
  actions: {
    title: text('Actions', '动作'),
    description: text('Steps of journeys and bulk actions.', '旅程步骤与批量操作。'),
    engine: 'now',
    activation: 'onAction:<id>',
    implements: ['run'],
  },
  conditions: {
    title: text('Conditions', '条件'),
    description: text(
      'Predicates for branches of journeys, and for rules everywhere: what one says of each customer is a column.',
      '旅程分支中的判断条件，也可用于所有规则：它对每位客户的判断就是一列。',
    ),
    engine: 'now',
    activation: 'onCondition:<id>',
    implements: ['test'],
  },
  gates: {
    title: text('Gates', '闸口'),
    description: text('Checks before a message goes out.', '消息发出前的检查。'),
    engine: 'now',
    activation: 'onGate:<id>',
    implements: ['allow'],
  },
  erasers: {
    title: text('Erasers', '数据删除'),
    description: text(
      'Data about customers that is kept elsewhere, and goes when a customer is erased.',
      '保存在别处的客户数据，删除客户时一并删除。',
    ),
    engine: 'now',
    activation: 'onEraser:<id>',
    implements: ['erase'],
  },
  journeys: {
    title: text('Journey templates', '旅程模板'),
    description: text('Journeys to start from.', '可直接套用的旅程。'),
    engine: 'now',
    implements: [],
  },
  templates: {
    title: text('Message templates', '消息模板'),
    description: text('Content of messages to start from.', '可直接套用的消息内容。'),
    engine: 'now',
    implements: [],
  },
  menus: {
    title: text('Menu entries', '菜单项'),
    description: text('Commands in the menus of pages.', '页面菜单中的命令。'),
    engine: 'now',
    implements: [],
  },
  keybindings: {
    title: text('Keys', '快捷键'),
    description: text('Commands on keys.', '绑定到按键的命令。'),
    engine: 'now',
    implements: [],
  },
  scripts: {
    title: text('Scripts', '话术'),
    description: text('Texts for people who talk to customers.', '供与客户沟通的人员使用的话术。'),
    engine: 'later',
    comesWith: serviceDesk,
    implements: [],
  },
  dashboards: {
    title: text('Dashboards', '看板'),
    description: text('Blocks of reports, arranged.', '编排好的报表图块。'),
    engine: 'later',
    comesWith: text('home pages that people arrange', '可自行编排的首页'),
    implements: [],
  },
  walkthroughs: {
    title: text('First steps', '上手引导'),
    description: text('Steps that events in the product complete.', '由产品中的事件完成的步骤。'),
    engine: 'later',
    comesWith: text('first steps in the admin app', '后台的上手引导'),
    implements: [],
  },
  models: {
    title: text('Models', '模型'),
    description: text('Providers of AI models.', 'AI 模型的提供方。'),
    engine: 'later',
    comesWith: ai,
    activation: 'onModel:<id>',
    implements: ['generate?', 'embed?', 'classify?'],
  },
  localizations: {
    title: text('Languages', '语言'),
    description: text('Texts in further languages.', '更多语言的文本。'),
    engine: 'later',
    comesWith: text('languages beyond English and Chinese', '中英文以外的语言'),
    implements: [],
  },
}

/** Every contribution point, those with an engine first. */
export const pointCatalogue: readonly PointDescription[] = Object.entries(points).map(([id, point]) => ({
  id: id as PointName,
  ...point,
}))

/** The description of point `id`; undefined when there is no such point. */
export function findPoint(id: string): PointDescription | undefined {
  return pointCatalogue.find((point) => point.id === id)
}

/** What a contribution is called within its plugin and point: its id, or what stands in for one. */
export function contributionId(point: string, entry: object): string {
  const fields = entry as Record<string, string>
  switch (point) {
    case 'events':
      return fields['name'] ?? ''
    case 'menus':
      return `${fields['command']}@${fields['place']}`
    case 'keybindings':
      return fields['key'] ?? ''
    case 'localizations':
      return `${fields['locale']}${fields['plugin'] ? ` ${fields['plugin']}` : ''}`
    default:
      return fields['id'] ?? ''
  }
}
