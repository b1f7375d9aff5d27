import {
  findSetting,
  type KindBudgets,
  type PluginBudget,
  type PluginBudgetView,
  writeSetting,
} from '@huitou/core'
import { type Budget, type Budgets, defaultBudgets, type PluginHost } from '@huitou/plugin-host'
import { note, type PluginContext } from './plugin-context.ts'

const SETTING = 'plugins.budgets'
/** Of a plugin's memory; the rest is for buffers and for what the runtime itself needs. */
const HEAP_SHARE = 0.5

/** What the owner decided, as stored. */
interface StoredBudgets extends KindBudgets {
  plugins: Record<string, PluginBudget>
}

export async function readBudgets({ core }: Pick<PluginContext, 'core'>): Promise<StoredBudgets> {
  const stored = (await findSetting(core.database.db, SETTING)) as Partial<StoredBudgets> | undefined
  return { worker: {}, process: {}, plugins: {}, ...stored }
}

/** Budgets as the host takes them. */
export function toHostBudgets({ worker, process, plugins }: StoredBudgets): Budgets {
  return {
    worker: toHost(worker),
    process: toHost(process),
    plugins: Object.fromEntries(Object.entries(plugins).map(([id, budget]) => [id, toHost(budget)])),
  }
}

/** What the kinds may use, and what they may where nobody decided otherwise. */
export function viewBudgets({ host }: Pick<PluginContext, 'host'>): {
  set: KindBudgets
  defaults: Record<keyof KindBudgets, Required<PluginBudget>>
} {
  const { worker = {}, process = {} } = host.budgets
  return {
    set: { worker: ownPart(worker), process: ownPart(process) },
    defaults: { worker: shown(defaultBudgets.worker), process: shown(defaultBudgets.process) },
  }
}

/** What one plugin may use, and what of that is its own. */
export function viewBudget(host: PluginHost, id: string): PluginBudgetView {
  return { ...shown(host.getBudget(id)), own: ownPart(host.budgets.plugins?.[id] ?? {}) }
}

export async function setKindBudgets(
  context: PluginContext,
  kinds: KindBudgets,
  by: string | undefined,
): Promise<void> {
  await change(context, { ...(await readBudgets(context)), ...kinds })
  await note(context, { by, action: 'budgets', subject: 'plugins', details: kinds })
}

export async function setPluginBudget(
  context: PluginContext,
  { id, budget }: { id: string; budget: PluginBudget },
  by: string | undefined,
): Promise<void> {
  context.host.getPlugin(id)
  await storeOf(context, id, budget)
  await note(context, { by, action: 'budget', subject: id, details: budget })
}

/** A plugin that is gone for good leaves no budget. */
export async function forgetBudget(context: PluginContext, id: string): Promise<void> {
  await storeOf(context, id, {})
}

async function storeOf(context: PluginContext, id: string, budget: PluginBudget): Promise<void> {
  const stored = await readBudgets(context)
  const { [id]: _, ...others } = stored.plugins
  const plugins = Object.keys(budget).length === 0 ? others : { ...others, [id]: budget }
  await change(context, { ...stored, plugins })
}

async function change({ core, host }: PluginContext, budgets: StoredBudgets): Promise<void> {
  await writeSetting(core.database.db, SETTING, budgets)
  host.setBudgets(toHostBudgets(budgets))
}

function toHost(budget: PluginBudget): Partial<Budget> {
  const { memoryMb, deadlineMs } = budget
  return {
    ...budget,
    ...(memoryMb === undefined ? {} : { heapMb: Math.floor(memoryMb * HEAP_SHARE) }),
    ...(deadlineMs === undefined ? {} : { longestCallMs: deadlineMs }),
  }
}

function ownPart({ heapMb: _, longestCallMs: __, ...budget }: Partial<Budget>): PluginBudget {
  return budget
}

function shown({ memoryMb, idleCpuShare, deadlineMs }: Budget): Required<PluginBudget> {
  return { memoryMb, idleCpuShare, deadlineMs }
}
