import { expect, test } from 'vitest'
import { createPoints } from './points.ts'
import { listViews } from './view-routes.ts'

const texts = (text: string) => ({ en: text, 'zh-CN': text })
const owner = { plugin: 'acme.cards', prefix: 'cards', text: texts }
const facts = (isTrusted: boolean) => new Map([['acme.cards', { version: '1.0.0', isTrusted }]])

function viewsOf(isTrusted: boolean) {
  const points = createPoints()
  const view = { title: 'Card', place: 'customerPage', entry: './ui/card.js' } as const
  points.views.add(owner, 'acme.cards/card', { ...view, id: 'card', kind: 'module' })
  points.views.add(owner, 'acme.cards/page', { ...view, id: 'page', kind: 'webview' })
  return listViews(points, facts(isTrusted)).views.map(({ entry, refused }) => ({ entry, refused }))
}

test('a script in the admin page is named for trusted plugins only; a sandboxed page for all', () => {
  const address = '/plugin-files/acme.cards/1.0.0/ui/card.js'
  expect(viewsOf(true)).toEqual([
    { entry: address, refused: null },
    { entry: address, refused: null },
  ])
  expect(viewsOf(false)).toEqual([
    { entry: null, refused: 'untrusted' },
    { entry: address, refused: null },
  ])
})
