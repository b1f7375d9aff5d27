/** A package read into memory and found harmless to unpack; nothing is written yet. */
export interface PluginArchive {
  /** npm name. */
  readonly name: string
  readonly version: string
  readonly publisher: string
  /** `publisher.name` */
  readonly id: string
  /** By path inside the plugin, `/` between folders, sorted. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Of the packed bytes, `sha512-…`. */
  readonly integrity: string
  /** Of the contents alone: the same files packed anew have the same digest. `sha256-…` */
  readonly digest: string
  readonly packedBytes: number
  readonly unpackedBytes: number
}

export interface ArchiveLimits {
  packedBytes: number
  unpackedBytes: number
  files: number
  fileBytes: number
}
