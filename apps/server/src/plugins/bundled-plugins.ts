import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Plugins that ship with Huitou, and whether they are on before anybody says so. The only place that names them. */
const PLUGINS: Record<string, 'on' | 'off'> = {
  '@huitou/commerce': 'on',
  '@huitou/rfm': 'on',
  '@huitou/channel-sandbox': 'on',
  '@huitou/care-journeys': 'on',
  '@huitou/playbook': 'on',
  // These need an account somewhere.
  '@huitou/channel-email': 'off',
  '@huitou/channel-sms': 'off',
  '@huitou/channel-webhook': 'off',
}

export interface BundledPlugin {
  dir: string
  enabledByDefault: boolean
}

/** Folders of the bundled plugins. */
export function bundledPlugins(): BundledPlugin[] {
  return Object.entries(PLUGINS).map(([name, state]) => ({
    dir: path.dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))),
    enabledByDefault: state === 'on',
  }))
}
