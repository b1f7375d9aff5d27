/** What an author adds so that checks meet real values: `test/samples.json` in the plugin. */
export interface PluginSamples {
  settings?: Record<string, unknown>
  /** Values that customers have in columns of other plugins. */
  columns?: Record<string, (number | string | null)[]>
  /** What contributions are given, by `<point>.<id>`: input of a command, rows of a file, a record … */
  inputs?: Record<string, unknown[]>
}

export interface ContractOptions {
  /** In place of the plugin's `test/samples.json`. */
  samples?: PluginSamples
  /** Folders of plugins that define points which this one contributes to. */
  with?: readonly string[]
}
