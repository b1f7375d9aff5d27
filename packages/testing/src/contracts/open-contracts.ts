import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pluginId, userError } from '@huitou/plugin-api'
import type { Contributions, ExtensionPointContribution, JsonSchema } from '@huitou/plugin-api'
import { readManifest, routeEffects } from '@huitou/plugin-host'
import type { Point } from '@huitou/plugin-host'
import { memoryEffects } from '../memory-effects.ts'
import { openPlugin } from '../open-plugin.ts'
import { channelChecks } from './channel-contract.ts'
import type { Check, Subject } from './contract.ts'
import type { ContractOptions, PluginSamples } from './contract-options.ts'
import { eraserChecks } from './eraser-contract.ts'
import { extensionChecks } from './extension-contract.ts'
import { collectionChecks, commandChecks } from './record-contracts.ts'
import { journeyChecks } from './journey-contract.ts'
import { modelChecks } from './model-contract.ts'
import { reportChecks } from './report-contract.ts'
import { sampleOf } from './schema-samples.ts'
import { scorerChecks } from './scorer-contract.ts'
import { segmenterChecks } from './segmenter-contract.ts'
import { sourceChecks } from './source-contract.ts'
import { actionChecks, conditionChecks, gateChecks } from './step-contracts.ts'
import { viewChecks } from './view-contract.ts'

/** Points whose implementations have a contract, each with its checks. */
const contracts = {
  scorers: scorerChecks,
  segmenters: segmenterChecks,
  reports: reportChecks,
  sources: sourceChecks,
  actions: actionChecks,
  conditions: conditionChecks,
  gates: gateChecks,
  erasers: eraserChecks,
  channels: channelChecks,
  commands: commandChecks,
  collections: collectionChecks,
  models: modelChecks,
  views: viewChecks,
} satisfies { [P in Point]?: (subject: Subject<Declaration<P>>) => Check[] }

type Declaration<P extends Point> = NonNullable<Contributions[P]>[number]

/** The checks of one plugin, ready to run one after another in any order. */
export interface OpenContracts extends AsyncDisposable {
  readonly pluginId: string
  readonly checks: readonly Check[]
}

/**
 * Starts the plugin in `dir` and hands out a check for every promise that its contributions make. Throws
 * `E_MANIFEST` when it cannot even be read.
 */
export async function openContracts(dir: string, options: ContractOptions = {}): Promise<OpenContracts> {
  const samples = options.samples ?? (await readSamples(dir))
  const loaded = await readManifest(dir)
  const { contributes = {}, main } = loaded.source
  const clock = { now: () => plugin.now }
  const effects = memoryEffects({ columns: samples.columns ?? {} }, clock)
  const plugin = await openPlugin(dir, {
    effects: routeEffects(effects),
    settings: samples.settings ?? defaultSettings(contributes.configuration),
  })
  const subjectOf = <P extends Point>(point: P, declaration: Declaration<P>): Subject<Declaration<P>> => {
    const id = (declaration as { id: string }).id
    const given = samples.inputs?.[`${point}.${id}`]
    return {
      plugin,
      effects,
      declaration,
      id,
      samples,
      inputs: <T>(otherwise: () => T) => structuredClone(given ?? [otherwise()]) as T[],
      call: async <T>(method: string, ...args: unknown[]) =>
        (await plugin.call({ point, id, method, args })) as T,
    }
  }
  const points = await readPoints([dir, ...(options.with ?? [])])
  const checks =
    main === undefined
      ? []
      : Object.entries(contracts).flatMap(([point, checksOf]) =>
          (contributes[point as keyof typeof contracts] ?? []).flatMap((declaration) =>
            (checksOf as (subject: Subject<never>) => Check[])(
              subjectOf(point as Point, declaration) as Subject<never>,
            ),
          ),
        )
  for (const extension of contributes.extensions ?? []) {
    checks.push(...extensionChecks(subjectOf('extensions', extension), points.get(extension.point)))
  }
  checks.push(...journeyChecks(loaded))
  return {
    pluginId: plugin.id,
    checks,
    [Symbol.asyncDispose]: () => plugin[Symbol.asyncDispose](),
  }
}

function defaultSettings(schema: JsonSchema | undefined): Record<string, unknown> {
  return schema
    ? (sampleOf({ type: 'object', ...schema }, { onlyRequired: true }) as Record<string, unknown>)
    : {}
}

async function readPoints(dirs: readonly string[]): Promise<Map<string, ExtensionPointContribution>> {
  const points = new Map<string, ExtensionPointContribution>()
  for (const dir of dirs) {
    const { source } = await readManifest(dir)
    for (const point of source.contributes?.extensionPoints ?? []) {
      points.set(`${pluginId(source)}/${point.id}`, point)
    }
  }
  return points
}

async function readSamples(dir: string): Promise<PluginSamples> {
  const file = path.join(dir, 'test', 'samples.json')
  const text = await readFile(file, 'utf8').catch(() => '{}')
  try {
    return JSON.parse(text) as PluginSamples
  } catch (cause) {
    throw userError('E_SAMPLES', `${file} is not JSON: ${(cause as Error).message}`, {
      hint: 'It may hold "settings", "columns" and "inputs"; without the file, values are made up.',
      cause,
    })
  }
}
