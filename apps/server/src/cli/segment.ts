import { readFileSync } from 'node:fs'
import {
  countRule,
  createSegment,
  deleteSegment,
  explainRule,
  getSegment,
  listSegments,
  parseRule,
  type Rule,
} from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import type { Huitou } from '../open-huitou.ts'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'
import { bringUpToDate } from './up-to-date.ts'

export const segmentCommand = defineCommand({
  meta: { name: 'segment', description: 'Segments: list | count | create | members | why | delete' },
  args: {
    action: {
      type: 'positional',
      required: true,
      description: 'list | count | create | members | why | delete',
    },
    id: { type: 'positional', required: false, description: 'segment id, for members, why and delete' },
    ...commonArgs,
    name: { type: 'string', description: 'name of a new segment' },
    rule: { type: 'string', valueHint: 'JSON|@FILE', description: 'rule, for count and create' },
    customer: { type: 'string', valueHint: 'ID', description: 'customer id, for why' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args, { existing: true })
      const { result, text } = await act(huitou, args)
      print(args, result, text)
    })
  },
})

interface Wish {
  action: string
  id?: string | undefined
  name?: string | undefined
  rule?: string | undefined
  customer?: string | undefined
}

async function act(huitou: Huitou, wish: Wish): Promise<{ result: unknown; text: string }> {
  const { core } = huitou
  switch (wish.action) {
    case 'list': {
      const segments = await listSegments(core)
      return {
        result: { segments },
        text: segments.map(({ id, name, count }) => `${count}\t${name}\t${id}`).join('\n'),
      }
    }
    case 'count': {
      const count = await countRule(core, ruleOf(wish))
      return { result: count, text: `${count.count} of ${count.total} customers` }
    }
    case 'create': {
      if (!wish.name) throw userError('E_NAME', 'A segment needs a name: --name NAME')
      const { id } = await createSegment(core, { name: wish.name, rule: ruleOf(wish) })
      await bringUpToDate(huitou)
      const segment = await getSegment(core, id)
      return { result: segment, text: `${segment.id}: ${segment.count} customers` }
    }
    case 'members': {
      const { id } = await getSegment(core, idOf(wish))
      const rows = await core.database.analytics
        .selectFrom('segment_members')
        .innerJoin('profiles', 'profiles.customer_id', 'segment_members.customer_id')
        .select(['profiles.customer_id as id', 'profiles.key', 'segment_members.entered_at as enteredAt'])
        .where('segment_id', '=', id)
        .orderBy('profiles.customer_id')
        .execute()
      return {
        result: { members: rows },
        text: rows.map(({ id: customer, key }) => `${customer}\t${key}`).join('\n'),
      }
    }
    case 'why': {
      const segment = await getSegment(core, idOf(wish))
      if (!segment.rule) throw userError('E_NO_RULE', `"${segment.name}" is a list and has no rule`)
      const explanation = await explainRule(core, segment.rule, Number(wish.customer))
      const lines = explanation.lines.map((line) => `${line.ok ? '✓' : '✗'} ${JSON.stringify(line)}`)
      return { result: explanation, text: [explanation.member ? 'in' : 'out', ...lines].join('\n') }
    }
    case 'delete':
      await deleteSegment(core, idOf(wish))
      return { result: { deleted: wish.id }, text: `${wish.id} deleted` }
    default:
      throw userError('E_ACTION', `"${wish.action}" is not something to do with segments`, {
        hint: 'list, count, create, members, why or delete.',
      })
  }
}

function ruleOf({ rule }: Wish): Rule {
  if (!rule) throw userError('E_RULE', 'Give the rule: --rule JSON or --rule @FILE')
  const text = rule.startsWith('@') ? readFileSync(rule.slice(1), 'utf8') : rule
  try {
    return parseRule(JSON.parse(text))
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw userError('E_JSON', `The rule is not valid JSON: ${cause.message}`, { cause })
    throw cause
  }
}

function idOf({ id }: Wish): string {
  if (!id) throw userError('E_SEGMENT_ID', 'Name the segment by its id; huitou segment list shows them')
  return id
}
