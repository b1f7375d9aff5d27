import type { Plugin } from '@huitou/admin-kit'

type Viewed = Pick<Plugin, 'nodes' | 'version' | 'state'>

/** Servers on which an extension is not as it should be: another version, not there, failed, or still on. */
export function differingNodes(plugin: Viewed): Viewed['nodes'] {
  const wanted = plugin.state === 'disabled' ? 'off' : 'ready'
  return plugin.nodes.filter(({ state, version }) => {
    // What is off anywhere need not be there.
    if (wanted === 'off' && state === 'absent') return false
    return state !== wanted || version !== plugin.version
  })
}
