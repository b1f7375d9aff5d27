import { pluginId } from '@huitou/plugin-api'
import type { CollectionContribution, Contributions, Manifest, ViewContribution } from '@huitou/plugin-api'
import { matchesAny } from './broker.ts'
import type { Finding } from './manifest-errors.ts'

const places = ['activityBar', 'customerPage', 'workbenchSide', 'dashboard']

/** What a view of each kind cannot do without. */
const needs: Record<ViewContribution['kind'], (keyof ViewContribution)[]> = {
  table: ['collection'],
  board: ['collection', 'groupBy'],
  calendar: ['collection', 'dateField'],
  form: ['collection'],
  dashboard: ['blocks'],
  report: ['report'],
  webview: ['entry'],
  module: ['entry'],
}

/** Findings for names that lead nowhere: collections, fields, views, commands, reports, groups of labels. */
export function checkReferences(manifest: Manifest): Finding[] {
  const { contributes = {} } = manifest
  return [
    ...(contributes.collections ?? []).flatMap((collection, index) =>
      checkCollection(manifest, collection, `contributes.collections[${index}]`),
    ),
    ...(contributes.views ?? []).flatMap((view, index) =>
      checkView(manifest, view, `contributes.views[${index}]`),
    ),
    ...(contributes.dashboards ?? []).flatMap(({ blocks }, index) =>
      checkBlocks(manifest, blocks, `contributes.dashboards[${index}].blocks`),
    ),
    ...checkCommands(manifest),
    ...checkGroups(contributes),
  ]
}

function checkCollection(manifest: Manifest, collection: CollectionContribution, path: string): Finding[] {
  const known = fieldsOf(collection)
  const { titleField, searchable = [], indexes = [], references = {}, views = [] } = collection
  const named: [string, string][] = [
    ...(titleField === undefined ? [] : [[`${path}.titleField`, titleField] as [string, string]]),
    ...searchable.map((field, index): [string, string] => [`${path}.searchable[${index}]`, field]),
    ...indexes.flatMap((fields, index) =>
      fields.map((field, position): [string, string] => [`${path}.indexes[${index}][${position}]`, field]),
    ),
    ...Object.keys(references).map((field): [string, string] => [`${path}.references.${field}`, field]),
  ]
  return [
    ...unknownFields(named, known),
    ...Object.entries(references).flatMap(([field, target]) =>
      target === 'customer' ? [] : checkCollectionName(manifest, target, `${path}.references.${field}`),
    ),
    ...views.flatMap((id, index) =>
      unknownName({
        path: `${path}.views[${index}]`,
        name: id,
        known: (manifest.contributes?.views ?? []).map((view) => view.id),
        what: 'view',
      }),
    ),
  ]
}

function checkView(manifest: Manifest, view: ViewContribution, path: string): Finding[] {
  const findings: Finding[] = needs[view.kind]
    .filter((key) => view[key] === undefined)
    .map((key) => ({
      path,
      value: view.kind,
      fix: `add "${key}": a ${view.kind} cannot be drawn without it`,
    }))
  const containers = (manifest.contributes?.viewsContainers ?? []).map(({ id }) => id)
  findings.push(
    ...unknownName({
      path: `${path}.place`,
      name: view.place,
      known: [...places, ...containers],
      what: 'place',
    }),
  )
  if (view.collection !== undefined) {
    findings.push(...checkCollectionName(manifest, view.collection, `${path}.collection`))
    const collection = manifest.contributes?.collections?.find(({ id }) => id === view.collection)
    if (collection) {
      const named: [string, string][] = (view.fields ?? []).map((field, index) => [
        `${path}.fields[${index}]`,
        field,
      ])
      if (view.groupBy !== undefined) named.push([`${path}.groupBy`, view.groupBy])
      if (view.dateField !== undefined) named.push([`${path}.dateField`, view.dateField])
      findings.push(...unknownFields(named, fieldsOf(collection)))
    }
  }
  if (view.report !== undefined) findings.push(...checkReport(manifest, view.report, `${path}.report`))
  findings.push(...checkBlocks(manifest, view.blocks ?? [], `${path}.blocks`))
  return findings
}

function checkBlocks(manifest: Manifest, blocks: readonly { report: string; block: string }[], path: string) {
  return blocks.flatMap(({ report, block }, index) => {
    const found = manifest.contributes?.reports?.find(({ id }) => id === report)
    if (!found) return checkReport(manifest, report, `${path}[${index}].report`)
    const known = found.blocks.map(({ id }) => id)
    return unknownName({ path: `${path}[${index}].block`, name: block, known, what: 'block' })
  })
}

function checkReport(manifest: Manifest, report: string, path: string): Finding[] {
  const known = (manifest.contributes?.reports ?? []).map(({ id }) => id)
  return isForeign(manifest, report) ? [] : unknownName({ path, name: report, known, what: 'report' })
}

/** Own collections by id; those of others only with the permission. */
function checkCollectionName(manifest: Manifest, name: string, path: string): Finding[] {
  if (isForeign(manifest, name)) {
    if (matchesAny(manifest.permissions?.collections ?? [], name)) return []
    return [{ path, value: name, fix: `add "${name}" to permissions.collections` }]
  }
  const known = (manifest.contributes?.collections ?? []).map(({ id }) => id)
  return unknownName({ path, name: name.split('/').at(-1)!, known, what: 'collection' })
}

function checkCommands(manifest: Manifest): Finding[] {
  const { menus = [], keybindings = [], walkthroughs = [], commands = [] } = manifest.contributes ?? {}
  const used: [string, string | undefined][] = [
    ...menus.map(({ command }, index): [string, string] => [`contributes.menus[${index}].command`, command]),
    ...keybindings.map(({ command }, index): [string, string] => [
      `contributes.keybindings[${index}].command`,
      command,
    ]),
    ...walkthroughs.flatMap(({ steps }, index) =>
      steps.map(({ command }, step): [string, string | undefined] => [
        `contributes.walkthroughs[${index}].steps[${step}].command`,
        command,
      ]),
    ),
  ]
  const known = commands.map(({ id }) => id)
  return used.flatMap(([path, name]) =>
    name === undefined || isForeign(manifest, name)
      ? []
      : unknownName({ path, name: name.split('/').at(-1)!, known, what: 'command' }),
  )
}

function checkGroups({ segmenters = [] }: Contributions): Finding[] {
  return segmenters.flatMap(({ labels, groups }, index) =>
    labels.flatMap(({ group }, position) =>
      group === undefined
        ? []
        : unknownName({
            path: `contributes.segmenters[${index}].labels[${position}].group`,
            name: group,
            known: (groups ?? []).map(({ id }) => id),
            what: 'group',
          }),
    ),
  )
}

function isForeign(manifest: Manifest, name: string): boolean {
  return name.includes('/') && !name.startsWith(`${pluginId(manifest)}/`)
}

function fieldsOf({ schema }: CollectionContribution): string[] {
  return Object.keys((schema['properties'] ?? {}) as object)
}

function unknownFields(named: [string, string][], known: string[]): Finding[] {
  return named.flatMap(([path, name]) => unknownName({ path, name, known, what: 'field' }))
}

function unknownName(options: { path: string; name: string; known: string[]; what: string }): Finding[] {
  const { path, name, known, what } = options
  if (known.includes(name)) return []
  const choice = known.length > 0 ? `; there are ${known.join(', ')}` : ''
  return [{ path, value: name, fix: `name a ${what} that exists${choice}` }]
}
