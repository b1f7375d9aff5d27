import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, read, until } from './client.ts'

export type Alert = InferResponseType<typeof api.alerts.$get>['alerts'][number]
export type AlertSettings = InferResponseType<typeof api.alerts.settings.$get>
export type Operations = InferResponseType<typeof api.operations.$get>

/** What is not as it should be now, or was. */
export async function listAlerts(state: 'open' | 'resolved', signal?: AbortSignal): Promise<Alert[]> {
  return (await read(api.alerts.$get({ query: { state } }, until(signal)))).alerts
}

/** Says that somebody looks after it. */
export const acknowledgeAlert = (id: number, note: string | null) =>
  read(api.alerts[':id'].acknowledge.$post({ ...at(id), json: { note } }))

export const readAlertSettings = (signal?: AbortSignal) => read(api.alerts.settings.$get({}, until(signal)))

/** `webhookSecret` left out stays as it is, as long as the address does. */
export const saveAlertSettings = ({
  thresholds,
  muted,
  webhook,
  webhookSeverity,
  webhookKind,
  webhookLocale,
  webhookSecret,
  recipients,
  perHour,
}: Omit<AlertSettings, 'kinds' | 'tellings' | 'hasWebhookSecret' | 'robotHosts'> & {
  webhookSecret?: string
}) =>
  read(
    api.alerts.settings.$put({
      json: {
        thresholds,
        muted,
        webhook,
        webhookSeverity,
        webhookKind,
        webhookLocale,
        recipients,
        perHour,
        ...(webhookSecret === undefined ? {} : { webhookSecret }),
      },
    }),
  )

type WebhookTest = InferRequestType<(typeof api.alerts.settings.test)['$post']>['json']

/** Says at an address that this is a test; fails with what the other side said. */
export const testAlertWebhook = (json: WebhookTest) => read(api.alerts.settings.test.$post({ json }))

/** Where Huitou's own mails go through; null where none is set up. */
export type MailServer = NonNullable<
  InferResponseType<(typeof api.settings)['mail-server']['$get']>['server']
>
export type MailServerChange = InferRequestType<(typeof api.settings)['mail-server']['$put']>['json']

export const readMailServer = async (signal?: AbortSignal): Promise<MailServer | null> =>
  (await read(api.settings['mail-server'].$get({}, until(signal)))).server
export const saveMailServer = (server: MailServerChange) =>
  read(api.settings['mail-server'].$put({ json: server }))
export const removeMailServer = () => read(api.settings['mail-server'].$delete())
export const testMailServer = (to: string) => read(api.settings['mail-server'].test.$post({ json: { to } }))

export const readOperations = (signal?: AbortSignal) => read(api.operations.$get({}, until(signal)))
