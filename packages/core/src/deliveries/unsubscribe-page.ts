import { escapeHtml } from '../content/filters.ts'
import type { LeavePage, ShownText } from './unsubscribe.ts'

type Language = 'en' | 'zh-CN'

const WORDS = {
  en: {
    title: 'Messages from {brand}',
    lead: 'Choose how you want to hear from us. What concerns an order of yours still reaches you.',
    thisOne: 'the message you came from',
    on: 'You get messages here',
    off: 'You get no messages here',
    stop: 'Unsubscribe',
    start: 'Subscribe again',
    stopAll: 'Unsubscribe from everything',
    done: 'Saved.',
    goneTitle: 'This link is not valid any more',
    gone: 'It may have expired. A newer message has a link that works.',
    sampleTitle: 'A test message',
    sample: 'In a real message this link lets customers unsubscribe.',
    linkGone: 'This link has expired',
    linkGoneLead: 'The offer or page it led to may be over.',
    us: 'us',
  },
  'zh-CN': {
    title: '{brand}的消息',
    lead: '请选择希望怎样收到我们的消息。与您订单有关的通知仍会送达。',
    thisOne: '您刚才打开的消息',
    on: '正在接收',
    off: '已不再接收',
    stop: '退订',
    start: '重新订阅',
    stopAll: '退订所有消息',
    done: '已保存。',
    goneTitle: '链接已失效',
    gone: '链接可能已过期，请使用较新消息里的链接。',
    sampleTitle: '这是一条测试消息',
    sample: '在正式消息里，客户可以通过此链接退订。',
    linkGone: '链接已过期',
    linkGoneLead: '它指向的活动或页面可能已经结束。',
    us: '我们',
  },
} as const

/** Language of a page: the customer's own, else what the browser asks for, else the brand's. */
export function pageLanguage(
  own: string | undefined,
  accepted: string | undefined,
  otherwise: string,
): Language {
  const wanted = own ?? accepted?.split(',')[0] ?? otherwise
  return /^zh/i.test(wanted.trim())
    ? 'zh-CN'
    : /^en/i.test(wanted.trim()) || own
      ? 'en'
      : asLanguage(otherwise)
}

function asLanguage(locale: string): Language {
  return locale.startsWith('zh') ? 'zh-CN' : 'en'
}

/** Where a customer chooses what to hear. Looking at it changes nothing. */
export function leavePage(page: LeavePage, language: Language, { saved = false } = {}): string {
  const words = WORDS[language]
  const title = words.title.replace('{brand}', page.brandName === '' ? words.us : page.brandName)
  const rows = page.channels.map(
    ({ id, title: name, allowed, isThis, text }) => `<li>
      <span><strong>${escapeHtml(name[language])}</strong>${isThis ? ` <small>${words.thisOne}</small>` : ''}<br>
      <small>${allowed ? words.on : words.off}</small>${allowed ? '' : agreement(text, language)}</span>
      ${button({ channel: id, allow: !allowed, text: allowed ? undefined : text }, allowed ? words.stop : words.start, { primary: isThis && allowed })}
    </li>`,
  )
  const all =
    page.channels.filter(({ allowed }) => allowed).length > 1 || page.channels.length === 0
      ? button({ channel: '*', allow: false }, words.stopAll, { primary: false })
      : ''
  return frame(
    title,
    language,
    `<p>${words.lead}</p>${saved ? `<p role="status" class="done">${words.done}</p>` : ''}<ul>${rows.join('')}</ul>${all}`,
  )
}

export function sampleLeavePage(language: Language): string {
  return frame(WORDS[language].sampleTitle, language, `<p>${WORDS[language].sample}</p>`)
}

export function goneLeavePage(language: Language): string {
  return frame(WORDS[language].goneTitle, language, `<p>${WORDS[language].gone}</p>`)
}

export function goneLinkPage(language: Language): string {
  return frame(WORDS[language].linkGone, language, `<p>${WORDS[language].linkGoneLead}</p>`)
}

/** What somebody agrees to by subscribing again, in the language of the page where there is one. */
function agreement(text: ShownText | undefined, language: Language): string {
  const words = text?.variants[language] ?? Object.values(text?.variants ?? {})[0]
  return words === undefined ? '' : `<br><small>${escapeHtml(words)}</small>`
}

function button(
  choice: { channel: string; allow: boolean; text?: ShownText | undefined },
  label: string,
  { primary }: { primary: boolean },
): string {
  const shown = choice.text
    ? `<input type="hidden" name="text" value="${escapeHtml(`${choice.text.id}/${choice.text.version}`)}">`
    : ''
  return `<form method="post"><input type="hidden" name="channel" value="${escapeHtml(choice.channel)}">${shown}
    <button name="choice" value="${choice.allow ? 'subscribe' : 'unsubscribe'}"${primary ? ' class="primary"' : ''}>${label}</button></form>`
}

function frame(title: string, language: Language, body: string): string {
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>
  body { margin: 0; font: 16px/1.6 system-ui, 'PingFang SC', 'Noto Sans SC', sans-serif; background: Canvas; color: CanvasText }
  main { max-width: 32rem; margin: 12vh auto; padding: 0 1.25rem }
  h1 { font-size: 1.375rem; line-height: 1.3 }
  ul { list-style: none; margin: 1.5rem 0; padding: 0 }
  li { display: flex; gap: 1rem; justify-content: space-between; align-items: center; padding: .75rem 0; border-top: 1px solid #8886 }
  small { opacity: .75 }
  form { margin: 0; flex: none }
  button { font: inherit; padding: .375rem .875rem; border-radius: .375rem; border: 1px solid #888; background: transparent; color: inherit; cursor: pointer }
  button.primary { background: #3a5bd9; border-color: #3a5bd9; color: #fff }
  .done { padding: .5rem .75rem; border-radius: .375rem; background: #1b7a4b22; border: 1px solid #1b7a4b }
</style>
<main><h1>${escapeHtml(title)}</h1>${body}</main>
</html>`
}
