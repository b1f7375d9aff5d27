import {
  detailsOpen,
  isTyping,
  matchesKeys,
  sideOpen,
  signOut,
  useAllCommands,
  useCommands,
  useMay,
} from '@huitou/admin-kit'
import type { Command } from '@huitou/admin-kit'
import { useEventListener } from '@vueuse/core'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { setLocale } from '../i18n.ts'
import { queryClient } from '../query-client.ts'
import { themeChoice } from '../theme.ts'
import type { ThemeChoice } from '../theme.ts'
import { keyListOpen, openPalette, paletteOpen } from './palette-state.ts'
import { useAreas } from './use-areas.ts'
import { useTabs } from './use-tabs.ts'

/** Commands of the shell itself, and the keys of every command. */
export function useShellCommands(): void {
  useCommands(usePlaceCommands())
  useCommands(useTabCommands())
  useCommands(usePreferenceCommands())
  useCommandKeys()
}

/** Runs a command when its keys are pressed. Plain letters and `?` stay letters while somebody types. */
function useCommandKeys(): void {
  const all = useAllCommands()
  useEventListener(document, 'keydown', (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return
    const command = all.value.find((one) => one.keys && matchesKeys(event, one.keys))
    if (!command?.keys) return
    const chord = /mod|alt/.test(command.keys)
    if (!chord && (isTyping(event) || document.querySelector('dialog[open]'))) return
    event.preventDefault()
    void command.run()
  })
}

const extensionPlaces = [
  { id: 'registries', icon: 'store' },
  { id: 'publishers', icon: 'shield-check' },
  { id: 'bisect', icon: 'split' },
]

function usePlaceCommands() {
  const { t } = useI18n()
  const router = useRouter()
  const may = useMay()
  const { shown } = useAreas()
  return computed<Command[]>(() => [
    ...shown.value.map((area, index) => ({
      id: `go.${area.id}`,
      title: t(`${area.id}.title`),
      icon: area.icon,
      note: t('shell.palette.page'),
      keywords: area.id,
      keys: `alt+${index + 1}`,
      run: () => router.push(area.path),
    })),
    ...(may('imports.write')
      ? [
          {
            id: 'imports.new',
            title: t('imports.new'),
            icon: 'upload',
            note: t('shell.palette.command'),
            keywords: 'import orders csv 导入 订单',
            run: () => router.push('/imports/new'),
          },
        ]
      : []),
    ...(may('plugins.read') ? extensionPlaces : []).map(({ id, icon }) => ({
      id: `extensions.${id}`,
      title: t(`extensions.${id}.title`),
      icon,
      note: t('extensions.title'),
      keywords: `extensions plugins 扩展 插件 ${id}`,
      run: () => router.push(`/extensions/${id}`),
    })),
    {
      id: 'demo.start',
      title: t('welcome.start'),
      icon: 'sparkles',
      note: t('shell.palette.page'),
      keywords: 'demo 演示',
      run: () => router.push('/start'),
    },
  ])
}

function useTabCommands() {
  const { t } = useI18n()
  const store = useTabs()
  const note = () => t('shell.palette.command')
  return computed<Command[]>(() => [
    {
      id: 'shell.palette',
      title: t('shell.palette.open'),
      icon: 'search',
      note: note(),
      keys: 'mod+k',
      run: () => (paletteOpen.value ? (paletteOpen.value = false) : openPalette()),
    },
    {
      id: 'tab.close',
      title: t('shell.commands.closeTab'),
      icon: 'x',
      note: note(),
      keys: 'alt+w',
      run: () => store.close(store.activeId),
    },
    {
      id: 'tab.closeOthers',
      title: t('shell.commands.closeOthers'),
      icon: 'x',
      note: note(),
      run: () => store.closeOthers(store.activeId),
    },
    {
      id: 'tab.next',
      title: t('shell.commands.nextTab'),
      icon: 'arrow-right',
      note: note(),
      keys: 'alt+]',
      run: () => store.step(1),
    },
    {
      id: 'tab.previous',
      title: t('shell.commands.previousTab'),
      icon: 'arrow-left',
      note: note(),
      keys: 'alt+[',
      run: () => store.step(-1),
    },
    {
      id: 'shell.side',
      title: t('shell.commands.side'),
      icon: 'panel-left',
      note: note(),
      keys: 'mod+b',
      run: () => (sideOpen.value = !sideOpen.value),
    },
    {
      id: 'shell.detailsPanel',
      title: t('shell.toggleDetails'),
      icon: 'panel-right',
      note: note(),
      keys: 'alt+d',
      run: () => (detailsOpen.value = !detailsOpen.value),
    },
    {
      id: 'shell.keys',
      title: t('shell.keys.title'),
      icon: 'keyboard',
      note: note(),
      keys: '?',
      run: () => (keyListOpen.value = true),
    },
  ])
}

function usePreferenceCommands() {
  const { t } = useI18n()
  const router = useRouter()
  const themes: { value: ThemeChoice; icon: string }[] = [
    { value: 'auto', icon: 'monitor' },
    { value: 'light', icon: 'sun' },
    { value: 'dark', icon: 'moon' },
  ]
  return computed<Command[]>(() => [
    ...themes.map(({ value, icon }) => ({
      id: `theme.${value}`,
      title: t(`shell.theme.${value}`),
      icon,
      note: t('shell.palette.command'),
      keywords: 'theme 外观 主题',
      run: () => (themeChoice.value = value),
    })),
    {
      id: 'locale.zh',
      title: '中文',
      icon: 'languages',
      note: t('shell.palette.command'),
      keywords: 'chinese language 语言',
      run: () => setLocale('zh-CN'),
    },
    {
      id: 'locale.en',
      title: 'English',
      icon: 'languages',
      note: t('shell.palette.command'),
      keywords: 'yingwen language 英文 语言',
      run: () => setLocale('en'),
    },
    {
      id: 'account.signOut',
      title: t('shell.commands.signOut'),
      icon: 'log-out',
      note: t('shell.palette.command'),
      async run() {
        await signOut().catch(() => undefined)
        queryClient.clear()
        await router.push('/sign-in')
      },
    },
  ])
}
