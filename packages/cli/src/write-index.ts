import path from 'node:path'
import { writeIndex } from '@huitou/plugin-host/install'
import { defineCommand } from 'citty'
import { jsonArg, print, runCommand } from './output.ts'

export const indexCommand = defineCommand({
  meta: { name: 'index', description: 'Write index.json for a folder of .tgz, to be put on any web server' },
  args: {
    dir: { type: 'positional', required: true, description: 'folder of packed plugins' },
    ...jsonArg,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const { index, problems } = await writeIndex(args.dir)
      const file = path.join(args.dir, 'index.json')
      const lines = [
        ...index.packages.map(({ id, version, file: name }) => `${id} ${version}\t${name}`),
        ...problems.map(({ file: name, code, message }) => `left out: ${name}: ${code} ${message}`),
        `${file}: ${index.packages.length} packages`,
      ]
      print(args, { file, packages: index.packages, problems }, lines.join('\n'))
      if (problems.length > 0) process.exitCode = 1
    })
  },
})
