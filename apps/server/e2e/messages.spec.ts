import { checkAccess } from './accessible.ts'
import { settled } from './settled.ts'
import { expect, test } from './test.ts'

test.use({ viewport: { width: 1440, height: 900 }, locale: 'en' })

test('a message is sent to the sandbox, answered there, and a second one held back with its reason', async ({
  page,
  shop,
}) => {
  const definition = {
    trigger: { type: 'event', event: 'sandbox.visited' },
    reentry: { afterDays: 0 },
    holdout: { percent: 0 },
    start: 'hi',
    nodes: {
      hi: {
        type: 'send',
        channel: 'huitou.channel-sandbox/message',
        content: { text: '{{customer.t_name}} {{customer.t_phone}}' },
      },
    },
  }
  const policy = await shop.request<object>('/api/contact-policy')
  await shop.request('/api/contact-policy', { method: 'PUT', body: { ...policy, quietHours: null } })
  const { id } = await shop.request<{ id: string }>('/api/journeys', {
    body: { name: 'Sandbox', definition },
  })
  await shop.request(`/api/journeys/${id}/publish`, { body: {} })
  const visit = async (messageId: string) =>
    await shop.send([{ type: 'track', event: 'sandbox.visited', userId: 'm1000', messageId }])
  const count = async (state: string) =>
    (await shop.request<{ total: number }>(`/api/deliveries/summary?journeyId=${id}&state=${state}`)).total
  await visit('sandbox-1')
  await expect.poll(() => count('sent,delivered')).toBe(1)

  await page.goto('/messages/sandbox')
  const phone = page.getByRole('region', { name: /^The phone of/ })
  await expect(phone).toContainText('138****1000')
  await phone.getByRole('button', { name: 'Reply', exact: true }).click()
  await phone.getByRole('textbox', { name: 'Reply as the customer' }).fill('Thanks!')
  await phone.getByRole('button', { name: 'Send', exact: true }).click()
  await expect(phone).toContainText('Thanks!')
  await expect(phone).toContainText('Replied')
  await settled(page)
  await checkAccess(page, 'sandbox')

  await visit('sandbox-2')
  await expect.poll(() => count('refused')).toBe(1)
  await page.goto(`/messages?journeyId=${id}`)
  await expect(page.getByRole('table', { name: 'Delivery log' })).toContainText('1 on this channel that day')
  await page
    .getByRole('button', { name: /^Open the one of/ })
    .nth(1)
    .click()
  const details = page.locator('#huitou-details')
  await expect(details).toContainText('as sent, personal data masked')
  await expect(details).toContainText('Thanks!')
  await settled(page)
  await checkAccess(page, 'delivery log')
})
