import type { Plugin, PluginConsent } from '@huitou/admin-kit'

/** What was decided about the extensions that come along, by id; all of them are wanted until somebody says no. */
export type CompanionChoice = Record<string, { wanted: boolean; decision: 'once' | 'key' | undefined }>

/** Whether nobody has to be asked who stands behind it. */
export function isVouched({ signature, decided }: Plugin): boolean {
  return (
    decided || signature.state === 'trusted' || signature.state === 'bundled' || signature.state === 'folder'
  )
}

/** Those that are off and come along as things stand. */
export function comingAlong(plugin: Plugin, plugins: readonly Plugin[], choice: CompanionChoice): Plugin[] {
  const known = new Map(plugins.map((each) => [each.id, each]))
  return plugin.companions.flatMap(({ id, relation, state }) => {
    const wanted = relation === 'needs' || (choice[id]?.wanted ?? true)
    const found = known.get(id)
    return state === 'off' && wanted && found ? [found] : []
  })
}

/** Consent to each of them: everything that it asks for, unless that was decided before. */
export function toCompanionConsent(
  coming: readonly Plugin[],
  choice: CompanionChoice,
): NonNullable<PluginConsent['companions']> {
  return Object.fromEntries(
    coming.map(({ id, decided }) => [
      id,
      {
        ...(decided ? {} : { grants: 'all' as const }),
        ...(choice[id]?.decision === 'once' ? { allowUnsigned: true } : {}),
      },
    ]),
  )
}
