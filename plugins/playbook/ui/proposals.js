const hi = {
  en: 'Hi {{ customer.t_name | default: "there" }}, ',
  'zh-CN': '{{ customer.t_name | default: "亲" }}，',
}
const say = (en, zh) => ({ en: hi.en + en, 'zh-CN': hi['zh-CN'] + zh })
const both = (en, zh) => ({ en, 'zh-CN': zh })
const is = (property, value) => [{ property, op: 'is', value }]

/** Rows to start from. Texts are taken over in the reader's language, and are the operator's from then on. */
export const proposals = [
  {
    name: both('Asked for something by searching', '搜索过的客户'),
    event: 'product.searched',
    tag: both('searching', '正在找'),
    waitMinutes: 30,
    text: say(
      'you searched for “{{ event.query }}”. Shall I pick three that suit you?',
      '看到您在找「{{ event.query }}」，要不要我按您的情况挑三款给您参考？',
    ),
    script: both('Ask what it is for, then name at most three.', '先问用途和预算，再推荐，最多三款。'),
    minutes: 120,
  },
  {
    name: both('Looked at something', '看过没买'),
    event: 'product.viewed',
    tag: both('interested', '意向客户'),
    waitMinutes: 240,
    text: say(
      'many who looked at “{{ event.name | default: "this" }}” asked the same three questions; here are the answers.',
      '很多看过「{{ event.name | default: "这款" }}」的朋友都问过三个问题，答案整理给您。',
    ),
  },
  {
    name: both('Began to check out', '到了结算又离开'),
    event: 'checkout.started',
    tag: both('nearly bought', '差一步下单'),
    waitMinutes: 45,
    text: say(
      'anything unclear about your order? Reply, and I see to postage, address or size.',
      '结算时遇到问题了吗？运费、地址、规格都可以直接问我，帮您处理好。',
    ),
    purpose: 'service',
    goalDays: 3,
  },
  {
    name: both('Closed an order without paying', '关闭未付款订单'),
    event: 'order.closed',
    where: [{ property: 'was_paid', op: 'false' }],
    tag: both('gave up', '放弃付款'),
    waitMinutes: 60,
    text: say(
      'your order was closed. If the price or the choice was the trouble, tell me; perhaps I can help.',
      '您的订单已关闭。如果是价格或款式的原因，告诉我，也许能帮您申请。',
    ),
  },
  {
    name: both('Used a coupon', '用了优惠券'),
    event: 'coupon.used',
    tag: both('likes coupons', '券敏感'),
    waitMinutes: 10_080,
    text: say(
      'a new coupon for those who know how to use one: ¥15 off from ¥149, this week.',
      '会省钱的您又有新券啦：满 149 减 15，本周有效。',
    ),
  },
  {
    name: both('Refunded', '退款安抚'),
    event: 'order.refunded',
    tag: both('refunded', '退款客户'),
    waitMinutes: 30,
    script: both(
      'Ask kindly what was wrong; note it. Do not sell anything.',
      '温和询问原因并记录，不推销；能补救的当场补救。',
    ),
    minutes: 60,
    goalDays: 60,
  },
  {
    name: both('A bad review', '中差评跟进'),
    event: 'order.reviewed',
    where: [{ property: 'rating', op: 'lte', value: 3 }],
    tag: both('unhappy', '评价不满'),
    waitMinutes: 0,
    script: both(
      'Thank them for being frank, apologise, offer a way out, and say by when.',
      '先感谢反馈再致歉，给出解决办法和完成时间。',
    ),
    minutes: 30,
    goalDays: 60,
  },
  {
    name: both('A good review', '好评感谢'),
    event: 'order.reviewed',
    where: [{ property: 'rating', op: 'gte', value: 5 }],
    tag: both('fan', '好评客户'),
    waitMinutes: 60,
    text: say(
      'thank you for your kind words! Bring a friend, and both of you get ¥20.',
      '谢谢您的好评！推荐闺蜜下单，您和她各得 20 元。',
    ),
    goalDays: 30,
  },
  {
    name: both('Scanned the card in the parcel', '扫了包裹卡'),
    event: 'card.scanned',
    tag: both('package card', '包裹卡'),
    waitMinutes: 5,
    text: say(
      'glad that you found us. Your first gift: ¥10 off, no minimum, for seven days.',
      '终于等到您！见面礼：10 元无门槛券，7 天有效。',
    ),
  },
  {
    name: both('Became a friend', '新加好友'),
    event: 'wecom.friend_added',
    tag: both('new friend', '新好友'),
    waitMinutes: 10,
    text: say(
      'I am your adviser. Ask me anything about what you use; on the 8th members get a special price.',
      '我是您的专属顾问，使用上的问题随时问我；每月 8 号会员日有专享价。',
    ),
    script: both(
      'Within the day: greet by name, ask one question about their skin or home, add a tag.',
      '当天内称呼问候，问一个和肤质或家居有关的小问题，补一个标签。',
    ),
    minutes: 480,
  },
  {
    name: both('Asked how to use it', '咨询使用方法'),
    event: 'service.consulted',
    where: is('topic', '使用咨询'),
    tag: both('needs guidance', '需要指导'),
    waitMinutes: 1_440,
    text: say(
      'does it work for you by now? I put the steps together for you.',
      '昨天问的用法试过了吗？步骤我整理好了，照着做更有效。',
    ),
    purpose: 'service',
  },
]
