import { userError } from '@huitou/plugin-api'
import { checkSignature, openArchive, type SignatureCheck } from '@huitou/plugin-host/install'
import { defineCommand } from 'citty'
import { readTrustList } from './key-files.ts'
import { jsonArg, print, runCommand } from './output.ts'

export const verifyArgs = {
  target: { type: 'positional', required: false, description: 'a .tgz; what is installed if absent' },
  trust: { type: 'string', valueHint: 'FILE[,FILE]', description: 'public keys to trust, for a .tgz' },
} as const

export const verifyCommand = defineCommand({
  meta: { name: 'verify', description: 'Check the signature of a .tgz; works offline' },
  args: { ...verifyArgs, ...jsonArg },
  async run({ args }) {
    await runCommand(args, async () => {
      if (args.target === undefined) {
        throw userError('E_NEEDS_HUITOU', 'What is installed is with a shop, of which there is none here', {
          hint: 'Name a .tgz, or call the huitou of your clone or server in its place.',
        })
      }
      await verifyFile(args, args.target)
    })
  },
})

/** Prints who signed the archive; ends with 1 unless it is trusted, or at least whole when nobody is named. */
export async function verifyFile(args: { json: boolean; trust?: string }, file: string): Promise<void> {
  const archive = await openArchive(file)
  const signature = checkSignature(archive.files, await readTrustList(args.trust))
  const { id, version, digest } = archive
  print(args, { id, version, digest, signature }, `${id} ${version}: ${describeSignature(signature)}`)
  // With a list of whom to trust, anything else is not what was asked for.
  const isFine = args.trust === undefined ? signature.state !== 'broken' : signature.state === 'trusted'
  if (!isFine) process.exitCode = 1
}

export function describeSignature({ state, publisher, keyId, reason }: SignatureCheck): string {
  if (state === 'unsigned') return 'unsigned'
  if (state === 'broken') return `BROKEN: ${reason}`
  return `${state === 'trusted' ? 'trusted' : 'signed by a key that is not on the trust list'}, ${publisher} ${keyId}`
}
