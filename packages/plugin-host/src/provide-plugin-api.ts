import { registerHooks } from 'node:module'
import * as pluginApi from '@huitou/plugin-api'

const specifier = '@huitou/plugin-api'
const url = 'huitou:plugin-api'
const key = Symbol.for(url)

let provided = false

/**
 * From now on every `import … from '@huitou/plugin-api'` in this thread gets the host's own copy. A plugin is
 * installed without dependencies, may read nothing but its own folder, and may run inside the single binary, where
 * there is no file to find.
 */
export function providePluginApi(): void {
  if (provided) return
  provided = true
  Object.defineProperty(globalThis, key, { value: pluginApi })
  const names = Object.keys(pluginApi).join(', ')
  const source = `export const { ${names} } = globalThis[Symbol.for(${JSON.stringify(url)})]`
  registerHooks({
    resolve: (wanted, context, next) =>
      wanted === specifier ? { url, format: 'module', shortCircuit: true } : next(wanted, context),
    load: (wanted, context, next) =>
      wanted === url ? { format: 'module', source, shortCircuit: true } : next(wanted, context),
  })
}
