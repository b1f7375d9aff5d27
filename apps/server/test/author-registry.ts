import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { startVerdaccio, type TestRegistry } from '@huitou/testing/verdaccio'
import { buildPackages, packPackages } from '../../../scripts/build-packages.ts'

const root = path.resolve(import.meta.dirname, '../../..')

/** A registry that holds what authors of plugins install, built and packed as for the public one; works in `folder`. */
export async function openAuthorRegistry(folder: string): Promise<TestRegistry> {
  await buildPackages()
  const packages = await packPackages(path.join(folder, 'packed'))
  const kysely = realpathSync(path.join(import.meta.dirname, '../node_modules/kysely'))
  const registry = await startVerdaccio()
  await Promise.all([
    ...packages.map(({ manifest, bytes }) => registry.put(manifest, bytes)),
    ...[kysely, standInForTypeScript(folder)].map((each) => registry.publish(each)),
  ])
  return registry
}

/** A package whose `tsc` is this workspace's: the compiler is large, and not what is tried. */
function standInForTypeScript(folder: string): string {
  const place = path.join(folder, 'typescript')
  mkdirSync(place)
  const manifest = { name: 'typescript', version: '6.0.3', license: 'Apache-2.0', bin: { tsc: 'tsc.sh' } }
  writeFileSync(path.join(place, 'package.json'), JSON.stringify(manifest))
  const tsc = path.join(root, 'node_modules/.bin/tsc')
  writeFileSync(path.join(place, 'tsc.sh'), `#!/bin/sh\nexec ${JSON.stringify(tsc)} "$@"\n`, { mode: 0o755 })
  return place
}
