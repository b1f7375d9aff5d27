import type { ModuleView } from '@huitou/admin-kit'
import type { Component } from 'vue'

/**
 * The component that the script at `entry` exports, and addresses of its style sheets. Rejects what is no component,
 * in words for the plugin's author. The script gets `vue` and its like from the page, see `shared-modules.ts`.
 */
export async function loadModule(
  entry: string,
  base: string = document.baseURI,
): Promise<{ component: Component; stylesheets: string[] }> {
  const address = new URL(entry, base)
  const exported = (await import(/* @vite-ignore */ address.href)) as Partial<ModuleView>
  const { default: component, stylesheets = [] } = exported
  if (!isComponent(component)) throw new Error(`${entry} exports no Vue component as default`)
  const folder = new URL('.', address).href
  const addresses = stylesheets.map((file) => new URL(file, address).href)
  const outside = addresses.findIndex((each) => !each.startsWith(folder))
  if (outside >= 0) throw new Error(`${stylesheets[outside]} does not lie beside ${entry}`)
  return { component, stylesheets: addresses }
}

function isComponent(value: unknown): value is Component {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && ('setup' in value || 'render' in value)
}
