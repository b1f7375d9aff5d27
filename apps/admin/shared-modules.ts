import type { Plugin } from 'vite'

/**
 * Modules that scripts of trusted plugins import by name and get from the page: a component can only be drawn by the
 * Vue that it was made with.
 */
const sharedModules = ['vue', 'vue-router', '@tanstack/vue-query', '@huitou/admin-kit']

const PREFIX = 'virtual:shared/'

/** Gives each of `sharedModules` an address, and the page an import map that leads there. */
export function sharedModulesPlugin(): Plugin {
  const references = new Map<string, string>()
  const addresses = new Map(sharedModules.map((name) => [name, `/@id/__x00__${PREFIX}${name}`]))
  let isBuild = false
  return {
    name: 'huitou:shared-modules',
    configResolved({ command }) {
      isBuild = command === 'build'
    },
    buildStart() {
      if (!isBuild) return
      for (const name of sharedModules) {
        // The same chunks as the app's: this one only passes their exports on.
        const file = {
          type: 'chunk',
          id: PREFIX + name,
          name: `shared-${name.replaceAll(/\W+/g, '-')}`,
        } as const
        references.set(name, this.emitFile({ ...file, preserveSignature: 'strict' }))
      }
    },
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load: (id) =>
      id.startsWith(`\0${PREFIX}`) ? `export * from '${id.slice(PREFIX.length + 1)}'` : undefined,
    generateBundle() {
      for (const [name, reference] of references) addresses.set(name, `/${this.getFileName(reference)}`)
    },
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        {
          tag: 'script',
          attrs: { type: 'importmap' },
          children: JSON.stringify({ imports: Object.fromEntries(addresses) as Record<string, string> }),
          injectTo: 'head-prepend',
        },
      ],
    },
  }
}
