import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { Address, MailServerChange, type MailSettings, noMailServer } from './mail-server.ts'
import { sendMail } from './send-mail.ts'

const TEST = {
  en: {
    subject: '[Huitou] Test',
    text: 'This is a test. Whoever reads it gets alerts of Huitou by e-mail.',
  },
  'zh-CN': {
    subject: '[Huitou] 测试邮件',
    text: '这是一封测试邮件。收到它，说明 Huitou 的告警邮件可以送达。',
  },
}

/** Mounted at `/api/settings/mail-server`. */
export function mailServerRoutes({
  database,
  clock,
  mail,
}: Pick<CoreContext, 'database' | 'clock'> & { mail: MailSettings }) {
  const note = (userId: string, host: string) =>
    audit(database.db, clock, { userId, action: 'settings.mail-server', subject: host })
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags: ['settings'], summary: 'Where mails of Huitou itself go through' }),
      async (c) => c.json({ server: await mail.view() }),
    )
    .put(
      '/',
      describeRoute({ tags: ['settings'], summary: 'Change it' }),
      validate('json', MailServerChange),
      async (c) => {
        const change = c.req.valid('json')
        await mail.write(change)
        await note(c.get('user').id, change.host)
        return c.json({ server: await mail.view() })
      },
    )
    .delete('/', describeRoute({ tags: ['settings'], summary: 'Send no mails any more' }), async (c) => {
      await mail.remove()
      await note(c.get('user').id, '')
      return c.json({ server: await mail.view() })
    })
    .post(
      '/test',
      describeRoute({ tags: ['settings'], summary: 'Send a test mail through it' }),
      validate('json', z.object({ to: Address })),
      async (c) => {
        const server = await mail.find()
        if (!server) throw noMailServer()
        const { locale } = c.get('user')
        await sendMail(server, { to: c.req.valid('json').to, ...TEST[locale === 'en' ? 'en' : 'zh-CN'] })
        return c.json({ sent: true })
      },
    )
}
