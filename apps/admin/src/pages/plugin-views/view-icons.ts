import type { PluginView } from '@huitou/admin-kit'

const icons: Record<PluginView['kind'], string> = {
  table: 'table',
  board: 'columns-3',
  calendar: 'calendar',
  form: 'pencil',
  dashboard: 'layout-grid',
  report: 'chart-no-axes-column',
  webview: 'globe',
  module: 'puzzle',
}

/** The view's own icon, or that of its kind. */
export function viewIcon({ icon, kind }: Pick<PluginView, 'icon' | 'kind'>): string {
  return icon ?? icons[kind]
}
