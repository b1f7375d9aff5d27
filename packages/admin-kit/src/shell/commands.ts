import { computed, onScopeDispose, shallowReactive, toValue } from 'vue'
import type { ComputedRef, MaybeRefOrGetter } from 'vue'
import type { IconName } from '../components/icons.ts'

export interface Command {
  /** `area.verb`; unique. */
  id: string
  title: string
  icon?: IconName
  /** Small words at the right: kind and figure, for instance `人群 · 3,482`. */
  note?: string
  /** Other words it is found by. */
  keywords?: string
  /** Key that runs it everywhere, for instance `mod+k`, `alt+w`, `?`. `mod` is ⌘ on a Mac and Ctrl elsewhere. */
  keys?: string
  run: () => unknown
}

/** Answers the palette while somebody types: customers, segments, whatever an area can look up. */
export interface CommandSearch {
  id: string
  /** Fewer characters than this do not ask. */
  minimum?: number
  search: (text: string, signal: AbortSignal) => Promise<Command[]>
}

const sources = shallowReactive(new Set<MaybeRefOrGetter<readonly Command[]>>())
const searches = shallowReactive(new Set<CommandSearch>())

/** Adds commands to the palette and the key list for as long as the calling component lives. */
export function useCommands(commands: MaybeRefOrGetter<readonly Command[]>): void {
  onScopeDispose(addCommands(commands))
}

/** Adds commands and returns what takes them out again. */
export function addCommands(commands: MaybeRefOrGetter<readonly Command[]>): () => void {
  sources.add(commands)
  return () => void sources.delete(commands)
}

/** Adds a search to the palette for as long as the calling component lives. */
export function useCommandSearch(search: CommandSearch): void {
  searches.add(search)
  onScopeDispose(() => searches.delete(search))
}

/** Every command there is now; of two with one id the later wins. */
export function useAllCommands(): ComputedRef<Command[]> {
  return computed(() => [
    ...new Map([...sources].flatMap((s) => toValue(s).map((c) => [c.id, c] as const))).values(),
  ])
}

export function allSearches(): CommandSearch[] {
  return [...searches]
}
