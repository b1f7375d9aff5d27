import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fillContent } from './fill.ts'
import { isWebAddress, rewriteLinks } from './links.ts'
import { compileText } from './liquid.ts'
import { measureText } from './measure.ts'

const here = { locale: 'zh-CN', timeZone: 'Asia/Shanghai', currency: 'CNY', now: Date.UTC(2026, 10, 22) }
const pieces = fc.constantFrom(
  '{{',
  '}}',
  '{%',
  '%}',
  ' customer.name ',
  '|',
  'default: ',
  '"',
  "'",
  'money',
  'date: "%Q"',
  'for i in ',
  'if ',
  'endif',
  'endfor',
  '(1..99999999)',
  '<a href=',
  '<script',
  '>',
  '\n',
)
const wild = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }).map((parts) => parts.join(''))
const values = fc.oneof(
  fc.string(),
  fc.constantFrom('<img src=x onerror=alert(1)>', '"><script>', '`', 'javascript:1'),
)

test('whatever is written, rendering answers and never throws', () => {
  fc.assert(
    fc.property(
      wild,
      fc.constantFrom('html' as const, 'none' as const),
      fc.jsonValue(),
      (text, kind, value) => {
        const compiled = compileText(text, kind)
        const rendered = compiled.render({ customer: { name: value } }, here)
        expect('text' in rendered || 'missing' in rendered || 'problem' in rendered).toBe(true)
      },
    ),
    { numRuns: 400 },
  )
})

test('a value never becomes markup', () => {
  const html =
    '<p title="{{ customer.name }}">{{ customer.name | upcase }}<br>{{ customer.name | newline_to_br }}</p>'
  fc.assert(
    fc.property(
      values.filter((value) => value !== ''),
      (name) => {
        const filled = fillContent({ html }, { scope: { customer: { name }, event: {} }, here })
        if (!('content' in filled)) return
        const tags = String(filled.content['html']).match(/<[^>]*>/g) ?? []
        expect(tags.map((tag) => tag.split(/[\s>]/)[0])).toEqual([
          '<p',
          ...Array.from({ length: tags.length - 2 }, () => '<br'),
          '</p',
        ])
        expect(String(filled.content['html'])).not.toMatch(/<p title="[^"]*"[^>]+>/)
      },
    ),
    { numRuns: 300 },
  )
})

test('a link in HTML leads to a page, by mail or phone, or nowhere', () => {
  const schemes = fc.constantFrom(
    'http:',
    'https:',
    'javascript:',
    'JaVaScRiPt:',
    'data:',
    'vbscript:',
    'file:',
    '//',
    ' java\nscript:',
    '&#106;avascript:',
  )
  fc.assert(
    fc.property(schemes, fc.string(), (scheme, rest) => {
      const href = `${scheme}//shop.example/${rest}`.replaceAll(/["<>]/g, '')
      const sent: string[] = []
      const { html } = rewriteLinks(
        { html: `<a class="x" href="${href}">y</a>` },
        { shorten: (target) => (sent.push(target), 'https://s.example/l/abc') },
      )
      expect(sent.every(isWebAddress)).toBe(true)
      expect(html).toMatch(
        /href="(https:\/\/s\.example\/l\/abc|#|#[^"]*|)"|href="(mailto|tel|sms|weixin|cid):/i,
      )
    }),
    { numRuns: 100 },
  )
})

test('texts of SMS: every character of a text is billed, in segments of 70 and 67', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      const { segments, characters } = measureText(text)
      expect(characters).toBe(text.length)
      expect(segments).toBe(text.length <= 70 ? 1 : Math.ceil(text.length / 67))
    }),
    { numRuns: 50 },
  )
  expect(measureText('a'.repeat(160), { abroad: true })).toMatchObject({ segments: 1, encoding: 'GSM-7' })
  expect(measureText('a'.repeat(161), { abroad: true }).segments).toBe(2)
})

test('a thousand messages cost little', () => {
  const content = {
    subject: '{{ customer.name }}，{{ event.amount | price }}',
    html: '<p>{{ customer.name }} {{ customer.spend | money }}</p><a href="https://shop.example/{{ event.id }}">x</a>',
  }
  const scope = { customer: { name: '王', spend: 12_900 }, event: { amount: 12.5, id: 7 } }
  fillContent(content, { scope, here })
  const before = process.cpuUsage()
  for (let index = 0; index < 1_000; index++) fillContent(content, { scope, here })
  // Time of this thread alone: other tests run beside.
  const { user } = process.cpuUsage(before)
  expect(user / 1_000).toBeLessThan(500)
})
