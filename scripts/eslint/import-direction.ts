import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Rule } from 'eslint'
import { placeOf, root } from './place.ts'

/** The order of the core's folders; `packages/core/layers.json` says it once, for people and for this rule. */
export interface Layers {
  /** Stages of the loop. Each may read those before it. */
  stages: string[]
  /** Folders that serve every stage and know none of them. */
  serving: string[]
  /** Folders that may read everything, with the reason. Only `http` may be imported by a stage. */
  above: Record<string, string>
  /** Folders beside the loop, with the stages they may read. */
  aside: Record<string, string[]>
}

/** What each kind of package may import of ours. `tests` adds to it in tests; `types` is for `import type`. */
const packages: { at: RegExp; may: RegExp; types?: RegExp; tests?: RegExp; because: string }[] = [
  { at: /^packages\/plugin-api\//, may: /^$/, because: 'the contract stands on nothing of ours' },
  {
    at: /^packages\/plugin-host\//,
    may: /^plugin-api$/,
    tests: /^testing$/,
    because: 'the host knows nothing of customers',
  },
  {
    at: /^packages\/core\//,
    may: /^plugin-api$/,
    tests: /^testing$/,
    because: 'the core knows no plugin and no host',
  },
  {
    at: /^packages\/admin-kit\//,
    may: /^$/,
    types: /^(core|plugin-api)$/,
    because: 'the browser gets types of the core, never its code',
  },
  {
    at: /^packages\/testing\//,
    may: /^(core|plugin-api|plugin-host)$/,
    because: 'tests of a plugin must not pull in another',
  },
  {
    at: /^packages\/cli\//,
    may: /^(plugin-api|plugin-host|testing)$/,
    because: 'its commands work where there is no shop',
  },
  {
    at: /^packages\/simulators\//,
    may: /^plugin-api$/,
    because: 'a simulator knows the outside service, and nothing of who asks it',
  },
  {
    at: /^(plugins|examples)\/[^/]+\/ui\//,
    may: /^(plugin-api|admin-kit)$/,
    because: 'a plugin is a stranger to the core and to other plugins',
  },
  {
    at: /^plugins\//,
    may: /^plugin-api$/,
    tests: /^(testing|simulators)$/,
    because: 'a plugin is a stranger to the core and to other plugins',
  },
  {
    at: /^examples\//,
    may: /^plugin-api$/,
    tests: /^testing$/,
    because: 'an example is what a stranger could write',
  },
  {
    at: /^apps\/admin\//,
    may: /^(admin-kit|plugin-api)$/,
    types: /^core$/,
    tests: /^core$/,
    because: 'the browser gets types of the core, never its code',
  },
]

const layersFile = path.join(root, 'packages/core/layers.json')

export const importDirection: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'imports follow the direction that CONTRIBUTING.md draws' },
    schema: [{ type: 'object' }],
    messages: {
      package:
        '{{from}} may not import {{to}}: {{because}}. See the table in CONTRIBUTING.md; what both need belongs in a package both may import.',
      typesOnly: '{{from}} may take only types from {{to}}: {{because}}. Write `import type`.',
      through: 'Import {{to}} by its package name: only what its `exports` name is meant for others.',
      stage:
        "core/{{from}} may not import core/{{to}}: {{because}}. Along the loop imports point left, and what serves every stage knows none: let the later stage read the earlier one's log, or move what both need to a serving folder. See packages/core/layers.json.",
    },
  },
  create(context) {
    const file = placeOf(context.filename)
    if (!file) return {}
    const layers = (context.options[0] as Layers | undefined) ?? readLayers()
    const isTest = /\.(test|spec)\.ts$|\/(test|e2e)\//.test(file)

    function check(node: Rule.Node, specifier: unknown, typeOnly: boolean) {
      if (typeof specifier !== 'string' || !file) return
      const problem = specifier.startsWith('.')
        ? relativeProblem(file, specifier, { layers, isTest })
        : packageProblem(file, specifier, { typeOnly, isTest })
      if (problem) context.report({ node, ...problem })
    }

    return {
      ImportDeclaration(node) {
        check(node as Rule.Node, node.source.value, isTypeOnly(node))
      },
      ImportExpression(node) {
        check(node as Rule.Node, node.source.type === 'Literal' ? node.source.value : undefined, false)
      },
      ExportNamedDeclaration(node) {
        check(node as Rule.Node, node.source?.value, (node as { exportKind?: string }).exportKind === 'type')
      },
      ExportAllDeclaration(node) {
        check(node as Rule.Node, node.source.value, (node as { exportKind?: string }).exportKind === 'type')
      },
    }
  },
}

interface Problem {
  messageId: string
  data: Record<string, string>
}

function packageProblem(
  file: string,
  specifier: string,
  { typeOnly, isTest }: { typeOnly: boolean; isTest: boolean },
): Problem | undefined {
  const to = /^@huitou\/([^/]+)/.exec(specifier)?.[1]
  const rule = packages.find(({ at }) => at.test(file))
  if (!to || !rule || rule.may.test(to) || to === path.basename(packageFolder(file))) return undefined
  if (isTest && rule.tests?.test(to)) return undefined
  const data = { from: packageFolder(file), to: `@huitou/${to}`, because: rule.because }
  if (!rule.types?.test(to)) return { messageId: 'package', data }
  return typeOnly ? undefined : { messageId: 'typesOnly', data }
}

function relativeProblem(
  file: string,
  specifier: string,
  { layers, isTest }: { layers: Layers; isTest: boolean },
): Problem | undefined {
  const target = path.posix.join(path.posix.dirname(file), specifier)
  const home = packageFolder(file)
  if (home && packageFolder(target) && packageFolder(target) !== home) {
    return { messageId: 'through', data: { to: packageFolder(target) } }
  }
  const from = coreFolder(file)
  const to = coreFolder(target)
  if (isTest || !from || !to || from === to) return undefined
  const because = stageProblem(from, to, layers)
  return because ? { messageId: 'stage', data: { from, to, because } } : undefined
}

/** Why folder `from` of the core may not import folder `to`, if it may not. */
function stageProblem(
  from: string,
  to: string,
  { stages, serving, above, aside }: Layers,
): string | undefined {
  const known = [...stages, ...serving, ...Object.keys(above), ...Object.keys(aside)]
  for (const folder of [from, to]) {
    if (!known.includes(folder)) return `layers.json does not say where "${folder}" stands`
  }
  if (from in above) return undefined
  // Stages declare routes with what `http` offers; `http` puts them together. Types and values, but one folder.
  if (serving.includes(to) || to === 'http') return undefined
  if (serving.includes(from)) return `"${from}" serves every stage and knows none`
  if (from in aside)
    return aside[from]!.includes(to) ? undefined : `"${from}" may read only ${aside[from]!.join(', ')}`
  if (to in aside) return `"${to}" stands beside the loop`
  return stages.indexOf(to) < stages.indexOf(from) ? undefined : `"${to}" comes after "${from}"`
}

function isTypeOnly(node: object): boolean {
  const { importKind, specifiers } = node as { importKind?: string; specifiers: { importKind?: string }[] }
  return (
    importKind === 'type' || (specifiers.length > 0 && specifiers.every((one) => one.importKind === 'type'))
  )
}

function packageFolder(file: string): string {
  return /^(?:packages|plugins|apps|examples)\/[^/]+/.exec(file)?.[0] ?? ''
}

/** Folder of the core's source that a file is in; files directly in `src` stand outside the order. */
function coreFolder(file: string): string | undefined {
  return /^packages\/core\/src\/([^/]+)\//.exec(file)?.[1]
}

function readLayers(): Layers {
  return JSON.parse(readFileSync(layersFile, 'utf8')) as Layers
}
