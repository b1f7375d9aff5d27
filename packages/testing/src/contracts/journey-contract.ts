import { checkTemplate } from '@huitou/core/journeys/template'
import type { JourneyContribution } from '@huitou/plugin-api'
import type { LoadedManifest } from '@huitou/plugin-host'
import type { Check } from './contract.ts'

/** What Huitou relies on in templates of journeys, which no code of the plugin stands behind. */
export function journeyChecks({ id: plugin, columnPrefix, manifest }: LoadedManifest): Check[] {
  const texts = (text: unknown) => text as { en: string; 'zh-CN': string }
  const owner = { plugin, prefix: columnPrefix, text: texts }
  return ((manifest.contributes?.journeys ?? []) as unknown as JourneyContribution[]).map((value) => ({
    point: 'journeys',
    id: value.id,
    title: 'gives a journey with the defaults of its parameters',
    run: async () => checkTemplate({ owner, id: `${plugin}/${value.id}`, value }),
  }))
}
