import { randomBytes } from 'node:crypto'
import { audit } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import type { Huitou } from '../open-huitou.ts'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

const ROLES = ['owner', 'operator', 'agent', 'analyst', 'developer'] as const

const ACTIONS = ['list', 'add', 'password', 'reset-two-factor'] as const

export const userCommand = defineCommand({
  meta: {
    name: 'user',
    description: 'People who may sign in: list | add EMAIL | password EMAIL | reset-two-factor EMAIL',
  },
  args: {
    action: { type: 'positional', required: true, description: ACTIONS.join(' | ') },
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
      const action = ACTIONS.find((known) => known === args.action)
      if (!action) {
        throw userError('E_ACTION', `"${args.action}" is not something to do with people`, {
          hint: `${ACTIONS.slice(0, -1).join(', ')} or ${ACTIONS.at(-1)}.`,
        })
      }
      if (action !== 'list' && !args.email)
        throw userError('E_EMAIL', `Name the e-mail: huitou user ${action} EMAIL`)
      await using huitou = await openForCommand(args, { existing: action !== 'add' })
      const told = await WORK[action](huitou, { ...args, email: args.email ?? '' })
      print(args, told.data, told.text)
    })
  },
})

interface Asked {
  email: string
  name?: string | undefined
  role: string
  locale: string
  'password-stdin': boolean
}

interface Told {
  data: object
  text: string
}

const WORK: Record<(typeof ACTIONS)[number], (huitou: Huitou, asked: Asked) => Promise<Told>> = {
  async list(huitou) {
    const users = await (await huitou.auth()).listUsers()
    return {
      data: { users },
      text: users.map(({ email, name, role }) => `${email}\t${name}\t${role}`).join('\n'),
    }
  },
  async add(huitou, asked) {
    const { email, name = email, locale } = asked
    const role = ROLES.find((known) => known === asked.role)
    if (!role) throw userError('E_ROLE', `There is no role "${asked.role}"`, { hint: ROLES.join(', ') })
    const chosen = await choosePassword(asked)
    const { id } = await (
      await huitou.auth()
    ).createUser({ email, name, password: chosen.password, role, locale })
    await note(huitou, 'person.invite', id, { role })
    return tellPassword(email, chosen)
  },
  async password(huitou, asked) {
    const { accounts } = await huitou.auth()
    const { id } = await accounts.getByEmail(asked.email)
    const chosen = await choosePassword(asked)
    await accounts.setPassword(id, chosen.password, { isDue: false })
    await note(huitou, 'person.password-reset', id)
    return tellPassword(asked.email, chosen)
  },
  /** The way back for an owner without the phone, when there is no other owner to ask. */
  async 'reset-two-factor'(huitou, { email }) {
    const { accounts } = await huitou.auth()
    const { id } = await accounts.getByEmail(email)
    await accounts.dropTwoFactor(id)
    await note(huitou, 'person.two-factor-reset', id)
    return { data: { email }, text: `${email} signs in with the password alone now` }
  },
}

/** Whoever works on the server itself is nobody's account; the log says that it was done there. */
async function note({ core }: Huitou, action: string, subject: string, details: object = {}): Promise<void> {
  await audit(core.database.db, core.clock, { userId: 'system', action, subject, details })
}

interface Chosen {
  password: string
  isMadeUp: boolean
}

async function choosePassword(asked: Asked): Promise<Chosen> {
  return asked['password-stdin']
    ? { password: (await readAll(process.stdin)).trim(), isMadeUp: false }
    : { password: randomBytes(12).toString('base64url'), isMadeUp: true }
}

function tellPassword(email: string, { password, isMadeUp }: Chosen): Told {
  return isMadeUp
    ? { data: { email, password }, text: `${email}\npassword: ${password}` }
    : { data: { email }, text: email }
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
