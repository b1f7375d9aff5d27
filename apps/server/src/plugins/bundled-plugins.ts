import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Plugins that ship with Huitou. The only place that names them. */
const NAMES = ['@huitou/commerce', '@huitou/rfm']

/** Folders of the bundled plugins. */
export function bundledPlugins(): string[] {
  return NAMES.map((name) => path.dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))))
}
