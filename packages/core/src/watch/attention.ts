import type { Db } from '../db/database.ts'
import type { Attention } from '../reports/home.ts'
import { listAlerts } from './alerts.ts'

/** Said on the first page in words of their own. */
const SAID_ELSEWHERE = new Set(['plugin_down', 'tasks_overdue'])
const SHOWN = 5

/** Alerts that nobody looks after yet. */
export async function readAlertAttention(db: Db): Promise<Attention[]> {
  const alerts = await listAlerts(db, { state: 'open', limit: 50 })
  return alerts
    .filter(({ acknowledgedAt, kind }) => acknowledgedAt === null && !SAID_ELSEWHERE.has(kind))
    .slice(0, SHOWN)
    .map(({ title, id }) => ({
      kind: 'alert' as const,
      title,
      detail: null,
      action: {
        to: `/settings/alerts?alert=${id}`,
        title: { en: 'See what to do', 'zh-CN': '查看处理办法' },
      },
    }))
}
