import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { packPlugin, type PackedPlugin } from '@huitou/plugin-host/install'
import { defineCommand } from 'citty'
import { readSigningKey } from './key-files.ts'
import { jsonArg, print, runCommand } from './output.ts'

export const packCommand = defineCommand({
  meta: { name: 'pack', description: 'Check a plugin and pack it into a .tgz' },
  args: {
    dir: { type: 'positional', required: false, default: '.', description: 'folder of the plugin' },
    out: { type: 'string', valueHint: 'DIR', default: '.', description: 'folder to write the .tgz to' },
    key: { type: 'string', valueHint: 'FILE', description: 'sign it with this private key' },
    ...jsonArg,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const key = args.key === undefined ? undefined : await readSigningKey(args.key)
      const packed = await packPlugin(path.resolve(args.dir), key)
      const file = path.join(args.out, packed.fileName)
      await writeFile(file, packed.bytes)
      print(args, resultOf(file, packed), textOf(file, packed))
    })
  },
})

function resultOf(file: string, { archive, warnings }: PackedPlugin) {
  const { id, version, digest, integrity, packedBytes, unpackedBytes } = archive
  const files = [...archive.files].map(([name, { length }]) => ({ path: name, bytes: length }))
  return { file, id, version, digest, integrity, packedBytes, unpackedBytes, files, warnings }
}

function textOf(file: string, { archive, warnings }: PackedPlugin): string {
  const width = Math.max(...[...archive.files.values()].map(({ length }) => String(length).length))
  return [
    ...[...archive.files].map(([name, { length }]) => `${String(length).padStart(width)}  ${name}`),
    ...warnings.map(({ file: where, message }) => `warning: ${where}: ${message}`),
    `${file}: ${archive.id} ${archive.version}, ${archive.files.size} files, ${archive.packedBytes} bytes`,
  ].join('\n')
}
