import { afterEach, beforeEach, expect, test } from 'vitest'
import { exportReport } from './reports.ts'
import { getCustomer, getTimeline, undoMerge } from './customers.ts'
import { problemsUrl, saveMapping } from './imports.ts'
import { deleteSegment, getSegment, segmentExportUrl } from './segments.ts'

const real = globalThis.fetch
let asked: { url: string; method: string; body: string | undefined }[]
let answer: () => Response

beforeEach(() => {
  asked = []
  answer = () => Response.json({})
  globalThis.fetch = async (input, init) => {
    asked.push({ url: String(input), method: init?.method ?? 'GET', body: init?.body as string | undefined })
    return answer()
  }
})
afterEach(() => {
  globalThis.fetch = real
})

test('calls go to the routes, with what stands in paths and questions escaped', async () => {
  await getCustomer(7)
  await getTimeline('7', { limit: 40, names: ['order.paid', 'order.refunded'], before: '1.2' })
  await undoMerge('3-9')
  await getSegment('rfm:a/b c')
  await deleteSegment('x')
  await saveMapping('i', { format: 'lines' })
  expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /api/customers/7',
    'GET /api/customers/7/timeline?before=1.2&limit=40&names=order.paid%2Corder.refunded',
    'POST /api/customers/merges/3-9/undo',
    'GET /api/segments/rfm%3Aa%2Fb%20c',
    'DELETE /api/segments/x',
    'PUT /api/imports/i/mapping',
  ])
  expect(asked.at(-1)?.body).toBe('{"mapping":{"format":"lines"}}')
})

test('files have addresses of their own', () => {
  expect(problemsUrl('a b')).toBe('/api/imports/a%20b/problems.csv')
  expect(segmentExportUrl('vip', 'xlsx', 'a b')).toBe('/api/segments/vip/export?format=xlsx&reason=a+b')
})

test('a problem document is thrown with its code, its hint and its details', async () => {
  const problem = {
    type: 'x',
    title: 'E_RULE',
    status: 400,
    code: 'E_RULE',
    detail: 'No',
    hint: 'Do',
    details: { path: 'all' },
  }
  answer = () => Response.json(problem, { status: 400 })
  await expect(getSegment('x')).rejects.toMatchObject({
    code: 'E_RULE',
    status: 400,
    message: 'No',
    problem: { hint: 'Do', details: { path: 'all' } },
  })
})

test('a server that is away is told apart from a call that was stopped', async () => {
  answer = () => {
    throw new TypeError('fetch failed')
  }
  await expect(getSegment('x')).rejects.toMatchObject({ code: 'E_OFFLINE', status: 0 })
  await expect(getSegment('x', AbortSignal.abort())).rejects.toThrow('fetch failed')
})

test('a downloaded file keeps its name in any script', async () => {
  const name = 'attachment; filename="_.csv"; filename*=UTF-8\'\'%E6%8A%A5%E8%A1%A8.csv'
  answer = () => new Response('a,b', { headers: { 'content-disposition': name } })
  expect(await exportReport('rfm.map', { parameters: {}, format: 'csv' })).toMatchObject({ name: '报表.csv' })
})
