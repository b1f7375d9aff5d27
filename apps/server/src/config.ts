import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { JOBS_BACKENDS, type JobsBackend, type MailServer, type NodeRole } from '@huitou/core'
import type { SingleSignOn } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { z } from 'zod'

/** Settings of the process, from the environment; every key stands here with its default. */
const Environment = z.object({
  /** `postgres://…`; SQLite in the data folder when absent. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** A replica for long reads. */
  HUITOU_ANALYTICS_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Address people reach the server under; needed behind a proxy that changes the host name. */
  HUITOU_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Signs sessions; the same on every node. Kept in the data folder when absent. */
  HUITOU_SECRET: z.string().min(32).optional(),
  /** The secret before it, for one start: keys sealed under it are sealed under the new one. */
  HUITOU_OLD_SECRET: z.string().optional(),
  /** Where a backup a day goes, best on another disk; none is made when absent. */
  HUITOU_BACKUP_DIR: z.string().optional(),
  /** Time of day of the backup, in the brand's zone. */
  HUITOU_BACKUP_AT: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 03:30')
    .default('03:30'),
  /** How many backups are kept. */
  HUITOU_BACKUP_KEEP: z.coerce.number().int().min(1).max(1_000).default(14),
  /** What this server does on a database that several share: `web` answers HTTP, `worker` runs the loop and jobs. */
  HUITOU_ROLE: z.enum(['web', 'worker', 'all']).default('all'),
  /** Proxies whose word about senders is believed: addresses, networks, or `loopback`. */
  HUITOU_TRUSTED_PROXIES: z.string().default('loopback'),
  /** Whoever reads `/metrics` names it; without one only this machine may. */
  HUITOU_METRICS_TOKEN: z.string().min(16).optional(),
  /** Mail server of Huitou's own mails, `smtps://user:password@host:465` or `smtp://…:587` (STARTTLS). */
  HUITOU_MAIL_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  /** Their sender. */
  HUITOU_MAIL_FROM: z.string().optional(),
  /** The engine behind DATABASE_URL, as pg-boss knows it, which hands jobs round there. */
  HUITOU_JOBS_BACKEND: z.enum(JOBS_BACKENDS).default('postgres'),
  /** The company's own sign-in by OpenID Connect: its `…/.well-known/openid-configuration`. */
  HUITOU_OIDC_DISCOVERY_URL: z.url({ protocol: /^https?$/ }).optional(),
  HUITOU_OIDC_CLIENT_ID: z.string().optional(),
  HUITOU_OIDC_CLIENT_SECRET: z.string().optional(),
  /** What its button says. */
  HUITOU_OIDC_NAME: z.string().max(40).default('SSO'),
  /** E-mail domains, by commas, whose people get an account at their first sign-in; nobody does when empty. */
  HUITOU_OIDC_DOMAINS: z.string().default(''),
  /** Role of accounts that are made that way. */
  HUITOU_OIDC_ROLE: z.enum(['operator', 'agent', 'analyst', 'developer']).default('agent'),
  /** Seconds without a sign of life after which other servers take over this one's work; the same on all of them. */
  HUITOU_NODE_SILENCE: z.coerce.number().int().min(3).max(300).default(15),
  HUITOU_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

export interface BackupPlan {
  dir: string
  /** `HH:MM` in the brand's zone. */
  at: string
  keep: number
}

export interface Config {
  dataDir: string
  databaseUrl: string | undefined
  analyticsUrl: string | undefined
  publicUrl: string | undefined
  secret: string
  /** Where the secret came from. */
  secretIn?: 'environment' | 'file'
  oldSecret?: string | undefined
  logLevel: string
  singleSignOn?: SingleSignOn | undefined
  trustedProxies?: string | undefined
  metricsToken?: string | undefined
  /** What a server does; `all` when absent. */
  role?: NodeRole | undefined
  jobsBackend?: JobsBackend | undefined
  nodeSilenceMs?: number | undefined
  /** Where Huitou's own mails go through; set up in its settings when absent. */
  mailServer?: MailServer | undefined
  /** One backup a day; undefined when none was asked for. */
  backup?: BackupPlan | undefined
}

/** Reads the environment and makes the data folder. Every mistake is named at once; nothing falls back silently. */
export function readConfig(dataDir: string, environment: NodeJS.ProcessEnv = process.env): Config {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(present)
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw userError('E_CONFIG', `The environment does not fit: ${mistakes.join('; ')}`, {
      hint: 'Correct these variables and start again.',
    })
  }
  const folder = path.resolve(dataDir)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw userError(
      'E_DATA_FOLDER',
      `The data folder ${folder} cannot be made: ${(cause as Error).message}`,
      { cause, hint: 'Name another with --data.' },
    )
  }
  return {
    dataDir: folder,
    databaseUrl: parsed.data.DATABASE_URL,
    analyticsUrl: parsed.data.HUITOU_ANALYTICS_URL,
    publicUrl: parsed.data.HUITOU_PUBLIC_URL,
    secret: parsed.data.HUITOU_SECRET ?? ownSecret(path.join(folder, 'secret')),
    secretIn: parsed.data.HUITOU_SECRET === undefined ? 'file' : 'environment',
    oldSecret: parsed.data.HUITOU_OLD_SECRET,
    logLevel: parsed.data.HUITOU_LOG_LEVEL,
    singleSignOn: singleSignOnOf(parsed.data),
    trustedProxies: parsed.data.HUITOU_TRUSTED_PROXIES,
    metricsToken: parsed.data.HUITOU_METRICS_TOKEN,
    role: parsed.data.HUITOU_ROLE,
    nodeSilenceMs: parsed.data.HUITOU_NODE_SILENCE * 1_000,
    jobsBackend: parsed.data.HUITOU_JOBS_BACKEND,
    mailServer: mailServerOf(parsed.data),
    backup: parsed.data.HUITOU_BACKUP_DIR
      ? {
          dir: path.resolve(parsed.data.HUITOU_BACKUP_DIR),
          at: parsed.data.HUITOU_BACKUP_AT,
          keep: parsed.data.HUITOU_BACKUP_KEEP,
        }
      : undefined,
  }
}

/** The address says everything but the sender. `smtp://` asks for STARTTLS, except on this machine itself. */
function mailServerOf({
  HUITOU_MAIL_URL: given,
  HUITOU_MAIL_FROM: from,
}: z.infer<typeof Environment>): MailServer | undefined {
  if (!given && !from) return undefined
  const sender = /^(?:(.*?)\s*<)?([^\s@<>]+@[^\s@<>]+?)>?$/.exec(from ?? '')
  if (!given || !sender) {
    throw userError('E_CONFIG', 'The mail server is only half set up', {
      hint: 'Set HUITOU_MAIL_URL (smtps://user:password@host:465) and HUITOU_MAIL_FROM (Name <name@example.com>), or neither.',
    })
  }
  const { protocol, hostname, port, username, password } = new URL(given)
  const isHere = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname)
  const security = protocol === 'smtps:' ? 'tls' : isHere ? 'none' : 'starttls'
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || { tls: 465, starttls: 587, none: 25 }[security],
    security,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    from: sender[2] as string,
    fromName: (sender[1] ?? '').replace(/^"|"$/g, ''),
  }
}

/** Half a sign-in would be none, and nobody would know why. */
function singleSignOnOf(given: z.infer<typeof Environment>): SingleSignOn | undefined {
  const {
    HUITOU_OIDC_DISCOVERY_URL: discoveryUrl,
    HUITOU_OIDC_CLIENT_ID: clientId,
    HUITOU_OIDC_CLIENT_SECRET: clientSecret,
  } = given
  if (!discoveryUrl && !clientId && !clientSecret) return undefined
  if (!discoveryUrl || !clientId || !clientSecret || !given.HUITOU_PUBLIC_URL) {
    throw userError('E_CONFIG', 'Single sign-on is only half set up', {
      hint: 'Set HUITOU_OIDC_DISCOVERY_URL, HUITOU_OIDC_CLIENT_ID, HUITOU_OIDC_CLIENT_SECRET and HUITOU_PUBLIC_URL, or none of the first three.',
    })
  }
  return {
    name: given.HUITOU_OIDC_NAME,
    discoveryUrl,
    clientId,
    clientSecret,
    domains: given.HUITOU_OIDC_DOMAINS.split(',')
      .map((domain) => domain.trim())
      .filter((domain) => domain !== ''),
    role: given.HUITOU_OIDC_ROLE,
  }
}

function ownSecret(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const secret = randomBytes(32).toString('base64url')
  // `wx`: of two processes that start together one makes the file, the other reads it.
  try {
    writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' })
    return secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readFileSync(file, 'utf8').trim()
  }
}
