import { defineCommand } from 'citty'

export const createCommand = defineCommand({
  meta: { name: 'create', description: 'Start a plugin from a template; --help lists them' },
  args: {
    folder: { type: 'positional', required: false, description: 'where it goes' },
    template: {
      type: 'string',
      description: 'scorer, segmenter, report, channel, collection, webview, declarative',
    },
    publisher: { type: 'string', description: 'who publishes it' },
    title: { type: 'string', description: 'what people read' },
    yes: {
      type: 'boolean',
      default: false,
      description: "ask nothing: take what is not given from the folder's name",
    },
  },
  /** What `npm create huitou-plugin` does, for those who have Huitou and perhaps no network. */
  async run({ rawArgs }) {
    const { runCreate } = await import('create-huitou-plugin/command')
    process.exitCode = await runCreate(rawArgs)
  },
})
