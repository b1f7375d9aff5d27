import path from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { createPlugin, findApi, problemWith, toName } from './create.mjs'
import { templates } from './templates.mjs'

const usage = `npm create huitou-plugin [folder] -- [options]

  --template NAME    ${templates.map(({ name }) => name).join(' | ')}
  --publisher NAME   who publishes it: lower-case letters, digits and hyphens
  --title TEXT       what people read
  --api DIR          folder of @huitou/plugin-api, for types without a registry
  --yes              ask nothing: take what is not given from the folder's name
  --help

Templates
${templates.map(({ name, says }) => `  ${name.padEnd(12)} ${says}`).join('\n')}
`

/** @typedef {{ input: NodeJS.ReadableStream & { isTTY?: boolean }, output: NodeJS.WritableStream, error: NodeJS.WritableStream }} Streams */

/**
 * Asks for what the arguments leave open, unless nobody is there to answer, and writes the plugin. Returns the exit
 * code.
 *
 * @param {string[]} argv
 * @param {Streams} [streams]
 */
export async function runCreate(
  argv,
  streams = { input: process.stdin, output: process.stdout, error: process.stderr },
) {
  const say = (/** @type {string} */ text) => void streams.output.write(`${text}\n`)
  try {
    const { values, positionals } = readArguments(argv)
    if (values.help) {
      say(usage)
      return 0
    }
    const plan = await completePlan(values, positionals[0], streams)
    const files = createPlugin(plan)
    say(`Created ${plan.publisher}.${plan.name} in ${plan.folder}:`)
    for (const file of files) say(`  ${file}`)
    const next = plan.api ? ['huitou plugin test', 'huitou plugin dev'] : ['npm install', 'npm test']
    say(`\nNext:\n${[`cd ${plan.folder}`, ...next].map((line) => `  ${line}`).join('\n')}`)
    return 0
  } catch (error) {
    streams.error.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

/** @param {string[]} argv */
function readArguments(argv) {
  return parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      template: { type: 'string' },
      publisher: { type: 'string' },
      title: { type: 'string' },
      api: { type: 'string' },
      yes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
}

/**
 * @param {ReturnType<typeof readArguments>['values']} values
 * @param {string | undefined} place
 * @param {Streams} streams
 * @returns {Promise<import('./create.mjs').PluginPlan>}
 */
async function completePlan(values, place, { input, output }) {
  const talk = !values.yes && input.isTTY === true
  const lines = talk ? createInterface({ input, output }) : undefined
  // One after another from the iterator: answers that come faster than questions are kept.
  const answers = lines?.[Symbol.asyncIterator]()
  /**
   * @param {string} question
   * @param {string} otherwise
   * @param {(answer: string) => string | undefined} [check]
   */
  const ask = async (question, otherwise, check = () => undefined) => {
    if (!answers) return otherwise
    for (;;) {
      output.write(`${question} (${otherwise}): `)
      const { value, done } = await answers.next()
      if (done) throw new Error('Nothing was created: not every question was answered')
      const answer = value.trim() || otherwise
      const problem = check(answer)
      if (!problem) return answer
      output.write(`${problem}\n`)
    }
  }
  try {
    const folder = place ?? (await ask('Folder', 'my-plugin'))
    const name = toName(path.basename(path.resolve(folder)))
    const template =
      values.template ?? (await ask(`Template, one of ${templateNames()}`, 'scorer', checkTemplate))
    const publisher =
      values.publisher ?? (await ask('Publisher', 'my-company', (answer) => problemWith('publisher', answer)))
    const title = values.title ?? (await ask('Title', toTitle(name)))
    return {
      folder,
      name,
      publisher,
      title,
      template: /** @type {import('./templates.mjs').TemplateName} */ (template),
      api: values.api ?? findApi(),
    }
  } finally {
    lines?.close()
  }
}

/** @param {string} answer */
function checkTemplate(answer) {
  return templates.some(({ name }) => name === answer) ? undefined : `Choose one of ${templateNames()}`
}

function templateNames() {
  return templates.map(({ name }) => name).join(', ')
}

/** @param {string} name */
function toTitle(name) {
  const words = name.replaceAll('-', ' ')
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}
