import { describeSignature, verifyArgs, verifyFile } from '@huitou/cli/verify'
import type { Verification } from '@huitou/plugin-host/install'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const verifyCommand = defineCommand({
  meta: {
    name: 'verify',
    description: 'Check the signature of a .tgz, or all that is installed; works offline',
  },
  args: { ...verifyArgs, ...commonArgs },
  async run({ args }) {
    await runCommand(args, () =>
      args.target === undefined ? verifyInstalled(args) : verifyFile(args, args.target),
    )
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
    versions
      .map(({ id, version, signature }) => `${id} ${version}: ${describeSignature(signature)}`)
      .join('\n') || 'Nothing is installed',
  )
  if (versions.some(({ signature }) => signature.state === 'broken')) process.exitCode = 1
}
