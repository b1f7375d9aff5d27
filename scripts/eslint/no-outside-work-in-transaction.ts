import type { Rule } from 'eslint'

type Node = Rule.Node

interface Callback {
  params: { type: string; name?: string }[]
}

/**
 * Keeps a transaction to its own handle and to the database. On SQLite a query through the outer handle waits for
 * the transaction it is part of, which never ends; a network call keeps every other writer waiting.
 */
export const noOutsideWorkInTransaction: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'a transaction uses its own handle and never waits for a network' },
    schema: [],
    messages: {
      handle:
        'Inside a transaction use its own handle, not `{{name}}`: on SQLite the outer handle waits for this very transaction and hangs; on PostgreSQL it writes outside it. See docs/adr/0003-no-io-in-a-transaction.md.',
      network:
        'No network inside a transaction: every other writer waits for the answer. Lease the work, do it with no transaction open, record the result in another. See docs/adr/0003-no-io-in-a-transaction.md.',
    },
  },
  create(context) {
    /** Names of the handles of the transactions that the walk is inside of. */
    const open: { node: Node; own: string | undefined }[] = []
    const enter = (node: Node) => {
      if (isTransactionBody(node)) open.push({ node, own: (node as unknown as Callback).params[0]?.name })
    }
    const leave = (node: Node) => {
      if (open.at(-1)?.node === node) open.pop()
    }
    const reportHandle = (node: Node, name: string) => {
      if (open.length === 0 || open.some(({ own }) => own === name)) return
      context.report({ node, messageId: 'handle', data: { name } })
    }
    return {
      ArrowFunctionExpression: enter,
      'ArrowFunctionExpression:exit': leave,
      FunctionExpression: enter,
      'FunctionExpression:exit': leave,
      Identifier(node) {
        if (isHandle(node.name) && isValue(node)) reportHandle(node, node.name)
      },
      MemberExpression(node) {
        const { property } = node
        if (property.type !== 'Identifier' && property.type !== 'PrivateIdentifier') return
        if (node.computed || !isHandle(property.name)) return
        if (
          node.object.type === 'Identifier' &&
          open.some(({ own }) => own === (node.object as { name: string }).name)
        )
          return
        reportHandle(node, context.sourceCode.getText(node))
      },
      CallExpression(node) {
        if (open.length > 0 && isFetch(node.callee)) context.report({ node, messageId: 'network' })
      },
    }
  },
}

/** The function given to `….transaction()….execute(…)`, `transact(…)` or `inTransaction(…)`. */
function isTransactionBody(node: Node): boolean {
  const call = node.parent
  if (call?.type !== 'CallExpression' || !(call.arguments as unknown[]).includes(node)) return false
  const { callee } = call
  if (callee.type === 'Identifier') return /^(transact|inTransaction)$/.test(callee.name)
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false
  if (/^(transact|inTransaction)$/.test(callee.property.name)) return true
  return callee.property.name === 'execute' && endsInTransaction(callee.object)
}

function endsInTransaction(node: object): boolean {
  const { type, callee } = node as {
    type: string
    callee?: { property?: { name?: string }; object?: object }
  }
  if (type !== 'CallExpression' || !callee) return false
  if (callee.property?.name === 'transaction') return true
  return callee.object ? endsInTransaction(callee.object) : false
}

function isHandle(name: string): boolean {
  return name === 'db' || name === 'analytics'
}

interface Parent {
  type: string
  parent?: Parent
  object?: unknown
  value?: unknown
  init?: unknown
}

/** Whether an identifier is read, rather than the name of a property, a key, a parameter or a variable. */
function isValue(node: Node): boolean {
  const parent = node.parent as Parent
  if (parent.type === 'MemberExpression') return parent.object === node
  if (parent.type === 'Property') return parent.value === node && parent.parent?.type === 'ObjectExpression'
  if (parent.type === 'VariableDeclarator') return parent.init === node
  return !/^(Function|ArrowFunction|TS)/.test(parent.type)
}

function isFetch(callee: object): boolean {
  const { type, name, property } = callee as { type: string; name?: string; property?: { name?: string } }
  return type === 'MemberExpression' ? property?.name === 'fetch' : name === 'fetch'
}
