export type TemplateName =
  | 'scorer'
  | 'segmenter'
  | 'report'
  | 'channel'
  | 'collection'
  | 'webview'
  | 'declarative'

/** Plugins to start from, the most asked for first. */
export const templates: readonly { name: TemplateName; says: string }[]
