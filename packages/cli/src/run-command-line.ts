import { parseArgs } from 'node:util'
import { userError } from '@huitou/plugin-api'
import { type ArgDef, type CommandDef, runMain } from 'citty'
import { runCommand } from './output.ts'

/** Runs what the command line says, unless it says something that the command does not know. */
export async function runCommandLine(
  command: CommandDef<any>,
  rawArgs = process.argv.slice(2),
): Promise<void> {
  let isKnown = false
  await runCommand({ json: rawArgs.includes('--json') }, async () => {
    await refuseUnknown(command, rawArgs)
    isKnown = true
  })
  if (isKnown) await runMain(command, { rawArgs })
}

/**
 * Throws `E_OPTION` for an option or a word too many: an option that is mistyped would otherwise be passed over, and
 * `--dta /srv` work on another folder than was meant.
 */
export async function refuseUnknown(command: CommandDef<any>, rawArgs: readonly string[]): Promise<void> {
  const { name, args, rest } = await descend(command, rawArgs)
  if (!args || rest.includes('--help') || rest.includes('-h')) return
  const defs = Object.entries(args)
  const options = defs.filter(([, def]) => def.type !== 'positional')
  const named = options.map(([key, def]) => ({
    type: def.type === 'boolean' ? ('boolean' as const) : ('string' as const),
    names: [key, ...('alias' in def && def.alias !== undefined ? [def.alias].flat() : [])],
  }))
  const known = named.flatMap(({ names }) => names)
  const types = Object.fromEntries(
    named.flatMap(({ names, type }) =>
      names.filter((each) => each.length > 1).map((each) => [each, { type }]),
    ),
  )
  const { tokens } = parseArgs({
    args: [...rest],
    options: types,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const hint = `See ${name} --help.`
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if ([token.name, token.name.replace(/^no-/, '')].some((each) => known.includes(each))) continue
    const near = known.find((each) => isNear(each, token.name))
    throw userError('E_OPTION', `${name} has no option ${token.rawName}`, {
      hint: near ? `Perhaps --${near}? ${hint}` : hint,
    })
  }
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const more = words[defs.length - options.length]
  if (more !== undefined) throw userError('E_OPTION', `${name} takes no "${more}"`, { hint })
}

/** The command that is meant, by its whole name, with what it takes and what comes after its name. */
async function descend(
  root: CommandDef<any>,
  rawArgs: readonly string[],
): Promise<{ name: string; args: Record<string, ArgDef> | undefined; rest: readonly string[] }> {
  let command = root
  let rest = rawArgs
  let name = 'huitou'
  for (;;) {
    const children = await settle(command.subCommands)
    if (!children) return { name, args: await settle(command.args), rest }
    const at = rest.findIndex((each) => !each.startsWith('-'))
    const child = children[rest[at] ?? '']
    // What is no command the parser answers itself.
    if (!child) return { name, args: undefined, rest }
    name += ` ${rest[at]}`
    command = await settle(child)
    rest = rest.slice(at + 1)
  }
}

/** Citty lets most things be a function or a promise as well. */
async function settle<T>(value: T | Promise<T> | (() => T | Promise<T>)): Promise<T> {
  return await (typeof value === 'function' ? (value as () => T | Promise<T>)() : value)
}

/** The beginning of it, the same letters in another order, or one letter more, less or other. */
function isNear(known: string, given: string): boolean {
  if (known.length < 2) return false
  if (known.startsWith(given) || given.startsWith(known)) return true
  if ([...known].toSorted().join('') === [...given].toSorted().join('')) return true
  const longest = Math.max(known.length, given.length)
  let before = 0
  while (before < longest && known[before] === given[before]) before++
  let after = 0
  while (after < longest - before && known.at(-1 - after) === given.at(-1 - after)) after++
  return before + after >= longest - 1
}
