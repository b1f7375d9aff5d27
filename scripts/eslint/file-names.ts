import path from 'node:path'
import type { Rule } from 'eslint'
import { placeOf } from './place.ts'

const vague = /^(utils?|helpers?|common|misc|shared|types?|stuff|lib)$/
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** Names that say what is inside, in one spelling; components too, whatever a template calls them. */
export const fileNames: Rule.RuleModule = {
  meta: {
    type: 'suggestion',
    docs: { description: 'files and folders are kebab-case and named after what they hold' },
    schema: [],
    messages: {
      kebab:
        'Name this file "{{kebab}}": file names are kebab-case, so that they are the same on every disk.',
      vague:
        '"{{name}}" says nothing about what is inside and will collect everything. Name it after the thing it does, or put the function beside its only user.',
    },
  },
  create(context) {
    return {
      Program(node) {
        const folders = placeOf(context.filename)?.split('/') ?? []
        const base = (folders.pop() ?? '').split('.')[0] ?? ''
        const name = [...folders, base].find((part) => vague.test(part))
        if (name) context.report({ node, messageId: 'vague', data: { name } })
        if (kebab.test(base)) return
        context.report({
          node,
          messageId: 'kebab',
          data: { kebab: toKebab(base) + path.extname(context.filename) },
        })
      },
    }
  },
}

function toKebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase()
}
