import { AppError } from './errors.ts'
import type { PermissionName } from './permissions.ts'

/** The plugin was not granted what its call needs; says where to ask for it and where to grant it. */
export function permissionError(pluginId: string, permission: PermissionName, name: string): AppError {
  return new AppError(
    'user',
    'E_PERMISSION',
    `Plugin "${pluginId}" may not use "${name}": it lacks ${permission}`,
    {
      status: 403,
      hint: `Ask for it in its package.json under permissions["${permission}"], then grant it in Extensions → ${pluginId} → Permissions.`,
      details: { pluginId, permission, name },
    },
  )
}
