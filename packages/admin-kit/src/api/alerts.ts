import type { InferResponseType } from 'hono/client'
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

export const saveAlertSettings = ({ thresholds, muted, webhook }: Omit<AlertSettings, 'kinds'>) =>
  read(api.alerts.settings.$put({ json: { thresholds, muted, webhook } }))

export const readOperations = (signal?: AbortSignal) => read(api.operations.$get({}, until(signal)))
