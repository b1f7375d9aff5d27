import { randomBytes } from 'node:crypto'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

const ROLES = ['owner', 'operator', 'agent', 'analyst', 'developer'] as const

export const userCommand = defineCommand({
  meta: { name: 'user', description: 'People who may sign in: list | add EMAIL | password EMAIL' },
  args: {
    action: { type: 'positional', required: true, description: 'list | add | password' },
    email: { type: 'positional', required: false, description: 'e-mail of the person' },
    ...commonArgs,
    name: { type: 'string', description: 'name of a new person' },
    role: { type: 'string', default: 'operator', description: ROLES.join(' | ') },
    locale: { type: 'string', default: 'zh-CN', description: 'zh-CN | en' },
    'password-stdin': {
      type: 'boolean',
      default: false,
      description: 'read the password from standard input; else one is made up',
    },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      const auth = await huitou.auth()
      if (args.action === 'list') {
        const users = await auth.listUsers()
        print(args, { users }, users.map(({ email, name, role }) => `${email}\t${name}\t${role}`).join('\n'))
        return
      }
      if (args.action !== 'add' && args.action !== 'password') {
        throw userError('E_ACTION', `"${args.action}" is not something to do with people`, {
          hint: 'list, add or password.',
        })
      }
      if (!args.email) throw userError('E_EMAIL', `Name the e-mail: huitou user ${args.action} EMAIL`)
      const made = args['password-stdin'] ? undefined : randomBytes(12).toString('base64url')
      const password = made ?? (await readAll(process.stdin)).trim()
      const role = ROLES.find((known) => known === args.role)
      if (!role) throw userError('E_ROLE', `There is no role "${args.role}"`, { hint: ROLES.join(', ') })
      if (args.action === 'add') {
        await auth.createUser({
          email: args.email,
          name: args.name ?? args.email,
          password,
          role,
          locale: args.locale,
        })
      } else await auth.setPassword(args.email, password)
      print(
        args,
        { email: args.email, ...(made ? { password: made } : {}) },
        made ? `${args.email}\npassword: ${made}` : args.email,
      )
    })
  },
})

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
