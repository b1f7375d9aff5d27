import { z } from 'zod'
import type { Db } from '../db/database.ts'
import { findSetting, writeSetting } from '../settings/brand.ts'
import { Address } from '../settings/mail-server.ts'
import { guessKind, WEBHOOK_KINDS } from './webhook.ts'

/** From when on something is worth an alert. */
export const Thresholds = z.object({
  /** A stage may be behind by so many seconds. */
  stageSeconds: z.int().min(10).max(86_400).default(300),
  /** Events may stay away for so many minutes where some are usual. */
  silentMinutes: z.int().min(10).max(1_440).default(60),
  /** Providers may report nothing for so many hours about what was sent. */
  receiptHours: z.int().min(1).max(72).default(3),
  /** Part of the day's messages of an account, or of a channel's quota. */
  quotaShare: z.number().min(0.1).max(1).default(0.9),
  /** Part of an hour's messages that fail. */
  failingShare: z.number().min(0.01).max(1).default(0.2),
  /** Messages of an hour that were given up. */
  deadLetters: z.int().min(1).max(100_000).default(10),
  /** Tasks past their time. */
  overdueTasks: z.int().min(1).max(100_000).default(10),
  /** Messages that wait for an employee's confirmation for longer than a day. */
  unconfirmed: z.int().min(1).max(100_000).default(10),
  /** Hours since the last whole backup, where backups are planned. */
  backupHours: z.int().min(2).max(720).default(36),
  /** Free part of the disk that the data folder lies on. */
  diskShare: z.number().min(0.01).max(0.9).default(0.1),
  /** Failed sign-ins within a quarter of an hour. */
  failedSignIns: z.int().min(3).max(100_000).default(50),
})
export type Thresholds = z.infer<typeof Thresholds>

export const AlertSettingsChange = z.object({
  thresholds: Thresholds,
  /** Rules that raise nothing. */
  muted: z.array(z.string().max(60)).max(50).default([]),
  /** Where alerts are told besides: a program, or the robot of a chat group. Empty for none. */
  webhook: z.union([z.literal(''), z.url({ protocol: /^https?$/ }).max(2_000)]).default(''),
  /** `critical` tells only what is urgent. */
  webhookSeverity: z.enum(['warning', 'critical']).default('warning'),
  /** Left out, it goes by the host of the address. */
  webhookKind: z.enum(WEBHOOK_KINDS).optional(),
  /** The language of its text. */
  webhookLocale: z.enum(['zh-CN', 'en']).default('zh-CN'),
  /** Who is told by mail, and of what. */
  recipients: z
    .array(
      z.object({
        address: Address,
        severity: z.enum(['warning', 'critical']),
        locale: z.enum(['zh-CN', 'en']),
      }),
    )
    .max(20)
    .refine(
      (list) => new Set(list.map(({ address }) => address.toLowerCase())).size === list.length,
      'every address once',
    )
    .default([]),
  /** Messages that each of them gets within an hour at most; what comes meanwhile waits for the next. */
  perHour: z.int().min(1).max(60).default(6),
})

export const AlertSettings = AlertSettingsChange.transform((settings) => ({
  ...settings,
  webhookKind: settings.webhookKind ?? guessKind(settings.webhook),
}))
export type AlertSettings = z.infer<typeof AlertSettings>

const NAME = 'alerts'

/** As stored; what was not set, or no longer fits, is as usual. */
export async function readAlertSettings(db: Db): Promise<AlertSettings> {
  const stored = (await findSetting(db, NAME)) as Partial<AlertSettings> | undefined
  const parsed = AlertSettings.safeParse({ thresholds: {}, ...stored })
  return parsed.success ? parsed.data : AlertSettings.parse({ thresholds: {} })
}

export async function writeAlertSettings(db: Db, settings: AlertSettings): Promise<void> {
  await writeSetting(db, NAME, settings)
}
