import type { Alert } from './alerts.ts'
import type { Severity } from './tables.ts'
import type { AlertSettings } from './thresholds.ts'

/** Somebody, or some program, that is told of alerts. */
export interface Target {
  /** `mail:<address>`, or `webhook`: what the address is may change. */
  id: string
  severity: Severity
  locale: 'zh-CN' | 'en'
}

export const WEBHOOK = 'webhook'

export function targetsOf({ recipients, webhook, webhookSeverity, webhookLocale }: AlertSettings): Target[] {
  const people = recipients.map(({ address, severity, locale }) => ({
    id: `mail:${address}`,
    severity,
    locale,
  }))
  return webhook === ''
    ? people
    : [...people, { id: WEBHOOK, severity: webhookSeverity, locale: webhookLocale }]
}

/** How a target is told: what fails for one by mail fails for the others. */
export const wayOf = (target: string): 'mail' | 'webhook' => (target === WEBHOOK ? 'webhook' : 'mail')

/** Whether it is told of this. That mails fail is not told by mail. */
export function isFor({ severity: least, id }: Target, { severity, kind, subject }: Alert): boolean {
  if (kind === 'telling_failed' && subject === wayOf(id)) return false
  return least === 'warning' || severity === 'critical'
}
