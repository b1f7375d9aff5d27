import { findVersion, type PluginCandidate } from '@huitou/core'
import { notFound, type Permissions } from '@huitou/plugin-api'
import { readManifest } from '@huitou/plugin-host'
import { difference, intersection, toEntries } from './consent.ts'
import { type PluginContext, readTrust } from './plugin-context.ts'
import { getInstalled, signatureNow } from './wished-set.ts'

/** What would change if a version that lies here were put in force; nothing of it runs. */
export async function describeCandidate(
  context: PluginContext,
  id: string,
  number: string,
): Promise<PluginCandidate> {
  const { core, store } = context
  const { version: present } = await getInstalled(context, id)
  const found = await findVersion(core.database.db, id, number)
  if (!found) throw notFound('Plugin version', `${id} ${number}`)
  const asked = await askedBy(context, id, number)
  const askedNow = await askedBy(context, id, present.version)
  const before = found.grants === null ? present : found
  const decided = before.grants === null ? {} : before === found ? asked : askedNow
  const { manifest } = await readManifest((await store.get(id, number)).dir)
  const { configuration: _, ...contributes } = (manifest.contributes ?? {}) as Record<string, unknown>
  return {
    version: number,
    signature: signatureNow(found.signature, await readTrust(context)),
    allowed: found.allowed,
    newPermissions: toEntries(difference(asked, decided), before.grants === null ? undefined : number),
    dropped: toEntries(difference(askedNow, asked)),
    kept: intersection(before.grants ?? {}, asked),
    contributes,
  }
}

async function askedBy({ store }: PluginContext, id: string, version: string): Promise<Permissions> {
  const stored = await store.find(id, version)
  const loaded = stored && (await readManifest(stored.dir).catch(() => undefined))
  return loaded?.manifest.permissions ?? {}
}
