import type { Attention } from '../reports/home.ts'
import type { PluginAdmin } from './plugin-views.ts'

/** Extensions that should run and do not: somebody has to look at them. */
export async function readPluginAttention(plugins: Pick<PluginAdmin, 'list'>): Promise<Attention[]> {
  return (await plugins.list()).flatMap(({ id, state, displayName: { en, 'zh-CN': zh } }) => {
    if (state !== 'failed' && state !== 'quarantined') return []
    const title =
      state === 'quarantined'
        ? { en: `"${en}" crashed again and again and is kept off`, 'zh-CN': `“${zh}”反复崩溃，已停用` }
        : { en: `"${en}" does not start`, 'zh-CN': `“${zh}”无法启动` }
    const to = `/extensions/${encodeURIComponent(id)}`
    return [
      {
        kind: 'plugin' as const,
        title,
        detail: null,
        action: { to, title: { en: 'Open the extension', 'zh-CN': '打开扩展' } },
      },
    ]
  })
}
