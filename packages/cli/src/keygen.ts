import { createSigningKey } from '@huitou/plugin-host/install'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { keyFolder, readSigningKey, writeKeyFiles } from './key-files.ts'
import { jsonArg, print, runCommand } from './output.ts'

export const keygenCommand = defineCommand({
  meta: { name: 'keygen', description: 'Make a key that a publisher signs plugins with' },
  args: {
    publisher: { type: 'positional', required: true, description: 'as in package.json of your plugins' },
    out: {
      type: 'string',
      valueHint: 'DIR',
      description: 'folder for the key files; ~/.huitou/keys if absent',
    },
    after: {
      type: 'string',
      valueHint: 'FILE',
      description: 'your former private key: who trusts it will trust the new one',
    },
    ...jsonArg,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const { publisher } = args
      if (!/^[a-z][a-z0-9-]*$/.test(publisher)) {
        throw userError('E_PUBLISHER', `${JSON.stringify(publisher)} cannot be a publisher`, {
          hint: 'Use small letters, digits and "-", as in package.json.',
        })
      }
      const former = args.after === undefined ? undefined : await readSigningKey(args.after)
      const key = createSigningKey(publisher, former)
      const { privateFile, publicFile } = await writeKeyFiles(args.out ?? keyFolder(), key)
      const { keyId, publicKey } = key
      print(
        args,
        { publisher, keyId, publicKey, privateFile, publicFile },
        [
          `Private key: ${privateFile}. Keep it to yourself, and keep a copy.`,
          `Public key:  ${publicFile}. Give it to those who should trust you, with its id ${keyId}.`,
        ].join('\n'),
      )
    })
  },
})
