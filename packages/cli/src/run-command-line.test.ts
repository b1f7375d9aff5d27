import { defineCommand } from 'citty'
import { expect, test } from 'vitest'
import { refuseUnknown } from './run-command-line.ts'

const command = defineCommand({
  subCommands: {
    serve: () =>
      Promise.resolve(
        defineCommand({
          args: {
            data: { type: 'string' },
            port: { type: 'string', alias: 'p' },
            demo: { type: 'boolean' },
            folder: { type: 'positional', required: false },
          },
        }),
      ),
    create: defineCommand({}),
  },
})

test.each([
  'serve',
  'serve --data x --port=3 --demo one',
  'serve -p 3',
  'serve --no-demo --data -x',
  'serve --help --whatever',
  'create --anything goes',
  'serv --dta',
  '--version',
])('%s is let through', async (line) => {
  await expect(refuseUnknown(command, line.split(' '))).resolves.toBeUndefined()
})

test.each([
  ['serve --dta x', 'huitou serve has no option --dta', 'Perhaps --data? See huitou serve --help.'],
  ['serve --prot 3', 'huitou serve has no option --prot', 'Perhaps --port? See huitou serve --help.'],
  ['serve --demo=yes --x', 'huitou serve has no option --x', 'See huitou serve --help.'],
  ['serve one two', 'huitou serve takes no "two"', 'See huitou serve --help.'],
])('%s is refused', async (line, message, hint) => {
  await expect(refuseUnknown(command, line.split(' '))).rejects.toMatchObject({
    code: 'E_OPTION',
    message,
    hint,
  })
})
