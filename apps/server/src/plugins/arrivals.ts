import { findWished, type InstallOptions, type UpgradeOptions, type UploadOptions } from '@huitou/core'
import type { ResolvedManifest } from '@huitou/plugin-api'
import { describeArchive, openArchive } from '@huitou/plugin-host/install'
import { findObtainable } from './companions.ts'
import { findWanted } from './enable-installed.ts'
import { installArchive, type InstallRequest } from './install.ts'
import type { PluginContext } from './plugin-context.ts'
import { download } from './sources.ts'
import { getInstalled, locate } from './wished-set.ts'

/** Runs changes of plugins one after another. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** Brings plugins and versions here, from registries and files. Nothing of them runs before it is enabled. */
export class Arrivals {
  readonly #context: PluginContext
  readonly #inTurn: InTurn

  constructor(context: PluginContext, inTurn: InTurn) {
    this.#context = context
    this.#inTurn = inTurn
  }

  /** Installs from a registry, with what the plugin needs and brings along. Answers its id. */
  async install({ acceptNewKey, ...from }: InstallOptions, by: string | undefined): Promise<string> {
    const { bytes, name, version } = await download(this.#context, from)
    const source = { kind: 'registry', registry: from.registry, name: from.name } as const
    return await this.#withCompanions(bytes, { source, by, acceptNewKey, promised: { name, version } })
  }

  /** The same from a file. */
  async upload(
    bytes: Uint8Array,
    { file, acceptNewKey }: UploadOptions,
    by: string | undefined,
  ): Promise<string> {
    return await this.#withCompanions(bytes, {
      source: { kind: 'upload', file: file ?? null },
      by,
      acceptNewKey,
    })
  }

  /** Installs what a plugin needs or brings along and what is not here. */
  async installCompanions(id: string, by: string | undefined): Promise<void> {
    const { manifest } = this.#context.host.getPlugin(id)
    const { source } = (await findWished(this.#context.core.database.db, id)) ?? {}
    await this.#obtain(manifest, source?.kind === 'registry' ? source.registry : undefined, by)
  }

  /** The version to upgrade to, brought here when it is not. */
  async bringVersion(id: string, options: UpgradeOptions, by: string | undefined): Promise<string> {
    const wanted = await findWanted(this.#context, id, options)
    if ('version' in wanted) return wanted.version
    const found = await download(this.#context, wanted.download)
    const { version: _, ...source } = wanted.download
    const request = { source: { kind: 'registry', ...source }, by, promised: found } as const
    const { acceptNewKey } = options
    await this.#inTurn(() => installArchive(this.#context, found.bytes, { ...request, acceptNewKey }))
    return found.version
  }

  async #withCompanions(bytes: Uint8Array, request: InstallRequest): Promise<string> {
    const { manifest } = describeArchive(await openArchive(bytes))
    const { source, by } = request
    await this.#obtain(manifest, source.kind === 'registry' ? source.registry : undefined, by)
    return await this.#installOne(bytes, request)
  }

  async #obtain(
    manifest: ResolvedManifest,
    preferred: string | undefined,
    by: string | undefined,
  ): Promise<void> {
    for (const from of await findObtainable(this.#context, manifest, preferred)) {
      const { bytes, name, version } = await download(this.#context, from)
      const source = { kind: 'registry', registry: from.registry, name } as const
      await this.#installOne(bytes, { source, by, promised: { name, version } })
    }
  }

  async #installOne(bytes: Uint8Array, request: InstallRequest): Promise<string> {
    return await this.#inTurn(async () => {
      const { id, isNew, version } = await installArchive(this.#context, bytes, request)
      const { host, broken } = this.#context
      const found = await getInstalled(this.#context, id)
      // Also when the version in force was damaged and is whole again.
      if (isNew || (broken.has(id) && found.wished.version === version)) {
        broken.delete(id)
        if (!host.list().some((plugin) => plugin.id === id))
          await host.add(await locate(this.#context, found))
      }
      return id
    })
  }
}
