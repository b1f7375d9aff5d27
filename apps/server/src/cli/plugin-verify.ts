import {
  checkSignature,
  openArchive,
  type SignatureCheck,
  type Verification,
} from '@huitou/plugin-host/install'
import { defineCommand } from 'citty'
import { readTrustList } from './key-files.ts'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const verifyCommand = defineCommand({
  meta: {
    name: 'verify',
    description: 'Check the signature of a .tgz, or all that is installed; works offline',
  },
  args: {
    target: { type: 'positional', required: false, description: 'a .tgz; what is installed if absent' },
    trust: { type: 'string', valueHint: 'FILE[,FILE]', description: 'public keys to trust, for a .tgz' },
    ...commonArgs,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      if (args.target === undefined) return await verifyInstalled(args)
      const archive = await openArchive(args.target)
      const signature = checkSignature(archive.files, await readTrustList(args.trust))
      const { id, version, digest } = archive
      print(args, { id, version, digest, signature }, `${id} ${version}: ${describe(signature)}`)
      // With a list of whom to trust, anything else is not what was asked for.
      const isFine = args.trust === undefined ? signature.state !== 'broken' : signature.state === 'trusted'
      if (!isFine) process.exitCode = 1
    })
  },
})

async function verifyInstalled(args: Parameters<typeof openForCommand>[0]): Promise<void> {
  await using huitou = await openForCommand(args)
  const trust = await huitou.plugins.publishers()
  const versions: ({ id: string; version: string } & Verification)[] = []
  for (const { id, version } of await huitou.store.list()) {
    versions.push({ id, version, ...(await huitou.store.verify(id, version, { trust })) })
  }
  print(
    args,
    { versions },
    versions.map(({ id, version, signature }) => `${id} ${version}: ${describe(signature)}`).join('\n') ||
      'Nothing is installed',
  )
  if (versions.some(({ signature }) => signature.state === 'broken')) process.exitCode = 1
}

function describe({ state, publisher, keyId, reason }: SignatureCheck): string {
  if (state === 'unsigned') return 'unsigned'
  if (state === 'broken') return `BROKEN: ${reason}`
  return `${state === 'trusted' ? 'trusted' : 'signed by a key that is not on the trust list'}, ${publisher} ${keyId}`
}
