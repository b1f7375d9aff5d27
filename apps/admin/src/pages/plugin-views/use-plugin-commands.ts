import {
  listCommands,
  queryKeys,
  runCommand,
  toast,
  toastError,
  useLocalized,
  useMe,
  useRefreshJobs,
} from '@huitou/admin-kit'
import type { Command, PluginCommand } from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { computed, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { router } from '../../router.ts'
import { usePluginViews, viewPath } from './use-plugin-views.ts'
import { holds } from './when.ts'
import type { WhenScope } from '@huitou/plugin-api'

/** The command whose form is open, and what it starts with. */
export const askedCommand = shallowRef<{ command: PluginCommand; input: Record<string, unknown> }>()

/** Commands of plugins that this reader may run. */
export function usePluginCommands() {
  const { t, locale } = useI18n()
  const localized = useLocalized()
  const me = useMe()
  const refreshJobs = useRefreshJobs()
  const query = useQuery({
    queryKey: queryKeys.commands,
    queryFn: ({ signal }) => listCommands(signal),
    staleTime: 60_000,
  })
  const mayRun = computed(() => ['owner', 'operator', 'agent'].includes(me.data.value?.role ?? ''))
  const context = computed<WhenScope>(() => ({ role: me.data.value?.role, locale: locale.value }))
  const commands = computed(() =>
    mayRun.value ? (query.data.value?.commands ?? []).filter(({ when }) => holds(when, context.value)) : [],
  )

  /** Runs at once, or asks first for what it needs to be told. */
  async function start(command: PluginCommand, input: Record<string, unknown> = {}): Promise<void> {
    const asks = Object.keys((command.input?.['properties'] as object | undefined) ?? {}).some(
      (name) => !(name in input),
    )
    if (asks) askedCommand.value = { command, input }
    else await run(command, input)
  }

  /** Throws what the server refuses, for a form to show. */
  async function run(command: PluginCommand, input: Record<string, unknown>): Promise<void> {
    const title = localized(command.title)
    const { jobId, result } = await runCommand(command.id, input)
    if (jobId) await refreshJobs()
    toast({
      kind: 'success',
      title: t(jobId ? 'pluginViews.commandStarted' : 'pluginViews.commandDone', { name: title }),
      ...(typeof result === 'string' ? { detail: result.slice(0, 300) } : {}),
    })
  }

  async function startOrTell(command: PluginCommand, input: Record<string, unknown> = {}): Promise<void> {
    await start(command, input).catch((error: unknown) =>
      toastError(error, t('pluginViews.commandFailed', { name: localized(command.title) })),
    )
  }

  return {
    commands,
    run,
    start: startOrTell,
    find: (id: string) => commands.value.find((command) => command.id === id),
  }
}

/** Puts plugins' commands and pages into the palette, and their keys into effect. */
export function usePaletteOfPlugins() {
  const { t } = useI18n()
  const localized = useLocalized()
  const { commands, start } = usePluginCommands()
  const { items, keybindings, context } = usePluginViews()
  const isMac = /mac/i.test(navigator.platform)
  return computed<Command[]>(() => [
    ...items.value.flatMap((item) =>
      item.views.map((view) => ({
        id: `view.${view.id}`,
        title: localized(view.title),
        icon: view.icon ?? item.icon,
        note: item.title === localized(view.title) ? t('shell.palette.page') : item.title,
        run: () => router.push(viewPath(view)),
      })),
    ),
    ...commands.value.map((command) => {
      const key = keybindings.value.find(
        (each) => each.command === command.id && holds(each.when, context.value),
      )
      return {
        id: `command.${command.id}`,
        title: localized(command.title),
        icon: command.icon ?? 'zap',
        note: localized(command.category) || t('shell.palette.command'),
        keywords: command.id,
        ...(key ? { keys: keysOf((isMac && key.mac) || key.key) } : {}),
        run: () => start(command),
      }
    }),
  ])
}

/** As the shell writes keys: `ctrl` and `cmd` are its `mod`. */
function keysOf(key: string): string {
  return key.toLowerCase().replaceAll(/\b(ctrl|cmd|meta)\b/g, 'mod')
}
