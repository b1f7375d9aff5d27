import { AppError, type Permissions, userError } from '@huitou/plugin-api'

/** Arguments of the commands that let a version run. */
export const consentArgs = {
  grant: {
    type: 'string',
    valueHint: 'all|JSON',
    description: 'what it may do: all that it asks for, or the part that you agree to',
  },
  'allow-unsigned': {
    type: 'boolean',
    default: false,
    description: 'let it run although nobody you trust vouches for it',
  },
} as const

export interface ConsentArgs {
  grant?: string | undefined
  'allow-unsigned': boolean
}

export function toConsent({ grant, 'allow-unsigned': allowUnsigned }: ConsentArgs) {
  return { grants: toGrants(grant), ...(allowUnsigned && { allowUnsigned }) }
}

/** Says what a plugin asks for when nobody has agreed to it yet: the message alone does not. */
export async function withConsent<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'E_CONSENT') throw error
    const asked = error.details?.['permissions'] as {
      permission: string
      names: string[]
      title: { en: string }
    }[]
    const lines = asked.map(({ permission, names, title }) => {
      const of = names.length > 0 ? `: ${names.join(', ')}` : ''
      return `  ${permission}${of}  (${title.en})`
    })
    throw userError(error.code, [error.message, ...lines].join('\n'), {
      hint: 'Agree with --grant all, or to a part with --grant JSON.',
      details: error.details,
      status: error.status,
      cause: error,
    })
  }
}

function toGrants(grant: string | undefined): 'all' | Permissions | undefined {
  if (grant === undefined || grant === 'all') return grant
  try {
    return JSON.parse(grant) as Permissions
  } catch (cause) {
    throw userError('E_JSON', `--grant is neither "all" nor JSON: ${(cause as Error).message}`, {
      hint: `For instance --grant '{"network":["api.example.com"]}'.`,
      cause,
    })
  }
}
