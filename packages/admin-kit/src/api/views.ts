import type { InferResponseType } from 'hono/client'
import { api, read, until } from './client.ts'

const one = api.commands[':plugin'][':id']

export type PluginViews = InferResponseType<typeof api.views.$get, 200>
export type PluginView = PluginViews['views'][number]
export type ViewsContainer = PluginViews['containers'][number]
export type PluginCommand = InferResponseType<typeof api.commands.$get, 200>['commands'][number]

export const listViews = (signal?: AbortSignal) => read(api.views.$get({}, until(signal)))
export const listCommands = (signal?: AbortSignal) => read(api.commands.$get({}, until(signal)))
/** Asks the code behind a view one of the `calls` that its manifest declares. */
export const callView = async (
  view: string,
  name: string,
  input?: unknown,
  signal?: AbortSignal,
): Promise<unknown> => {
  const [plugin = '', id = ''] = view.split('/')
  const param = {
    plugin: encodeURIComponent(plugin),
    view: encodeURIComponent(id),
    name: encodeURIComponent(name),
  }
  const { answer } = await read(
    api.views[':plugin'][':view'].calls[':name'].$post(
      { param, json: { input: input as never } },
      until(signal),
    ),
  )
  return answer
}
/** Runs a command: its answer, or the job that does it. */
export const runCommand = (id: string, input: Record<string, unknown>, signal?: AbortSignal) => {
  const [plugin = '', command = ''] = id.split('/')
  return read(
    one.$post(
      {
        param: { plugin: encodeURIComponent(plugin), id: encodeURIComponent(command) },
        json: { input: input as Record<string, never> },
      },
      until(signal),
    ),
  )
}
