import type { Role } from '../http/env.ts'

/** Everything that can be allowed or refused. A route needs one of these; so does a page that calls it. */
export const PERMISSIONS = [
  'home.read',
  /** Customers and what they did, personal data masked. */
  'customers.read',
  /** Masked values in clear; each look is written down. */
  'customers.reveal',
  /** Merges undone, identifiers separated, actions for many customers at once. */
  'customers.write',
  'customers.export',
  'customers.erase',
  'consents.write',
  /** Segments, their sizes and history, never who is in them. */
  'segments.read',
  'segments.write',
  'journeys.read',
  'journeys.write',
  'journeys.publish',
  /** Taking one customer out of a journey. */
  'journeys.stop',
  /** Messages with recipient and content, masked. */
  'messages.read',
  /** How many messages there were and what became of them. */
  'messages.figures',
  'messages.manage',
  'content.read',
  'content.write',
  'channels.read',
  /** Accounts on channels, with their secrets. */
  'channels.manage',
  'channels.switch',
  'policy.read',
  'policy.write',
  'experiments.read',
  'experiments.write',
  'experiments.record',
  /** Tasks and what they are about. */
  'tasks.read',
  'tasks.work',
  /** Queues and business hours. */
  'tasks.manage',
  'reports.read',
  'reports.export',
  /** Files with orders and customers: they hold personal data as it was handed in. */
  'imports.read',
  'imports.write',
  /** Records of extensions; which of them, their extension says. */
  'records.read',
  'records.write',
  'records.export',
  /** Pages of extensions that ask their own code. */
  'views.use',
  'commands.run',
  'plugins.read',
  /** Bringing extensions in, their settings, turning them off and on with the rights they have. */
  'plugins.manage',
  /** Giving extensions rights, other code under given rights, and which publishers are believed. */
  'plugins.trust',
  'jobs.read',
  'jobs.manage',
  'settings.write',
  /** Write keys and API keys. */
  'keys.manage',
  'people.manage',
  'audit.read',
  /** What customers ask for as the law lets them: writing it down, and answering. */
  'privacy.requests',
  /** Retention, consent texts, deadlines and what else the law asks for. */
  'privacy.manage',
  /** How people sign in, and the keys that personal data is encrypted with. */
  'security.manage',
  'operations.read',
  'operations.manage',
  'demo.pass',
] as const

export type Permission = (typeof PERMISSIONS)[number]

/** Serves customers, one after another. */
const AGENT: readonly Permission[] = [
  'customers.read',
  'customers.reveal',
  'consents.write',
  'privacy.requests',
  'journeys.stop',
  'messages.read',
  'tasks.read',
  'tasks.work',
  'records.read',
  'records.write',
  'views.use',
  'commands.run',
]

/** Runs the daily business. */
const OPERATOR: readonly Permission[] = [
  ...AGENT,
  'home.read',
  'customers.write',
  'customers.export',
  'customers.erase',
  'segments.read',
  'segments.write',
  'journeys.read',
  'journeys.write',
  'journeys.publish',
  'messages.figures',
  'messages.manage',
  'content.read',
  'content.write',
  'channels.read',
  'channels.switch',
  'policy.read',
  'policy.write',
  'experiments.read',
  'experiments.write',
  'experiments.record',
  'tasks.manage',
  'reports.read',
  'reports.export',
  'imports.read',
  'imports.write',
  'records.export',
  'plugins.read',
  'jobs.read',
  'jobs.manage',
  'operations.read',
  'demo.pass',
]

/** Works with numbers: nothing here answers with a person. */
const ANALYST: readonly Permission[] = [
  'home.read',
  'segments.read',
  'segments.write',
  'journeys.read',
  'messages.figures',
  'content.read',
  'channels.read',
  'policy.read',
  'experiments.read',
  'experiments.write',
  'reports.read',
  'reports.export',
  'plugins.read',
  'jobs.read',
]

/** Connects shops and channels, brings extensions in; nothing here answers with a person. */
const DEVELOPER: readonly Permission[] = [
  'home.read',
  'segments.read',
  'journeys.read',
  'messages.figures',
  'content.read',
  'channels.read',
  'channels.manage',
  'policy.read',
  'experiments.read',
  'experiments.record',
  'plugins.read',
  'plugins.manage',
  'keys.manage',
  'jobs.read',
  'operations.read',
]

/** What each role may do. An owner may do everything. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  owner: PERMISSIONS,
  operator: OPERATOR,
  agent: AGENT,
  analyst: ANALYST,
  developer: DEVELOPER,
}

/** What an API key may be allowed: never to make people, other keys, or rights. */
const PEOPLE_ONLY: readonly Permission[] = [
  'people.manage',
  'keys.manage',
  'security.manage',
  'plugins.trust',
  'demo.pass',
]
export const KEY_SCOPES: readonly Permission[] = PERMISSIONS.filter(
  (permission) => !PEOPLE_ONLY.includes(permission),
)

/** Somebody, or a key, that asks for something. */
interface Asker {
  role: Role
  /** Scopes of a key; what a person may do comes from the role. */
  permissions?: readonly Permission[]
}

export function permissionsOf({ role, permissions }: Asker): readonly Permission[] {
  return permissions ?? ROLE_PERMISSIONS[role] ?? []
}

export function may(asker: Asker, permission: Permission): boolean {
  return permissionsOf(asker).includes(permission)
}

export function rolesThatMay(permission: Permission): Role[] {
  const roles = Object.keys(ROLE_PERMISSIONS) as Role[]
  return roles.filter((role) => ROLE_PERMISSIONS[role].includes(permission))
}
