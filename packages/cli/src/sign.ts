import { randomUUID } from 'node:crypto'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'
import { openArchive, signArchive, signFolder } from '@huitou/plugin-host/install'
import { defineCommand } from 'citty'
import { readSigningKey } from './key-files.ts'
import { jsonArg, print, runCommand } from './output.ts'

export const signCommand = defineCommand({
  meta: { name: 'sign', description: 'Sign a packed plugin, or its folder before npm packs it' },
  args: {
    target: { type: 'positional', required: true, description: 'a .tgz, which is written anew, or a folder' },
    key: {
      type: 'string',
      valueHint: 'FILE',
      description: "private key; that of the plugin's publisher in ~/.huitou/keys if absent",
    },
    ...jsonArg,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const { publisher, keyId } = (await isFolder(args.target))
        ? await signDir(args.target, args.key)
        : await signFile(args.target, args.key)
      print(
        args,
        { target: args.target, publisher, keyId },
        `${args.target}: signed by ${publisher}, ${keyId}`,
      )
    })
  },
})

async function signFile(file: string, keyFile: string | undefined) {
  const archive = await openArchive(file)
  const key = await readSigningKey(keyFile, archive.publisher)
  const { bytes } = await signArchive(archive, key)
  // The signed one takes the place of the other at once: nobody copies half a file.
  const beside = `${file}.${randomUUID()}`
  await writeFile(beside, bytes)
  await rename(beside, file)
  return key
}

async function signDir(dir: string, keyFile: string | undefined) {
  const { publisher } = JSON.parse(await readFile(path.join(dir, 'package.json'), 'utf8')) as {
    publisher?: string
  }
  const key = await readSigningKey(keyFile, publisher)
  await signFolder(path.resolve(dir), key)
  return key
}

async function isFolder(target: string): Promise<boolean> {
  const found = await stat(target).catch(() => undefined)
  if (found) return found.isDirectory()
  throw userError('E_ARCHIVE_FILE', `There is no ${target}`, {
    hint: 'Name the .tgz that huitou plugin pack wrote.',
  })
}
