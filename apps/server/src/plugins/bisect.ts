import { type BisectView, findSetting, writeSetting } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { answerBisect, type Bisect, startBisect } from '@huitou/plugin-host'
import { note, type PluginContext } from './plugin-context.ts'

const SETTING = 'plugins.bisect'

const IDLE: BisectView = { state: 'idle', step: 0, left: 0, suspects: [], on: [], off: [], culprit: null }

/** The search as it stands. It is kept in the database, so that it goes on after a restart. */
export async function findBisect({ core }: Pick<PluginContext, 'core'>): Promise<Bisect | undefined> {
  return ((await findSetting(core.database.db, SETTING)) ?? undefined) as Bisect | undefined
}

export async function viewBisect(context: PluginContext): Promise<BisectView> {
  const bisect = await findBisect(context)
  return bisect ? toView(bisect) : IDLE
}

/** Begins with every plugin that is on and can be switched off; the wished set stays what it is. */
export async function beginBisect(context: PluginContext, by: string | undefined): Promise<BisectView> {
  if ((await findBisect(context))?.state === 'searching') {
    throw userError('E_BISECT_RUNNING', 'A search is under way already', {
      status: 409,
      hint: 'Answer its question, or stop it.',
    })
  }
  const bisect = startBisect(
    context.host
      .list()
      .filter(({ state }) => state !== 'disabled')
      .map(({ id }) => id),
  )
  return await store(context, bisect, { by, action: 'bisect.start' })
}

export async function answer(
  context: PluginContext,
  how: 'good' | 'bad',
  by: string | undefined,
): Promise<BisectView> {
  const bisect = await findBisect(context)
  if (bisect?.state !== 'searching') {
    throw userError('E_NO_BISECT', 'No search is under way', { status: 409, hint: 'Start one.' })
  }
  const dependencies = Object.fromEntries(
    context.host.list().map(({ id, manifest }) => [id, manifest.pluginDependencies ?? []]),
  )
  return await store(context, answerBisect(bisect, how, dependencies), { by, action: 'bisect.answer' })
}

export async function endBisect(context: PluginContext, by: string | undefined): Promise<BisectView> {
  const bisect = await findBisect(context)
  if (!bisect) return IDLE
  await writeSetting(context.core.database.db, SETTING, null)
  await switchTo(context, bisect.all, bisect.all)
  await note(context, { by, action: 'bisect.stop', subject: bisect.culprit ?? '' })
  return IDLE
}

/** Plugins that a search keeps off for now, though they are wished. */
export function keptOff(bisect: Bisect | undefined): Set<string> {
  if (bisect?.state !== 'searching') return new Set()
  return new Set(bisect.all.filter((id) => !bisect.enabled.includes(id)))
}

async function store(
  context: PluginContext,
  bisect: Bisect,
  { by, action }: { by: string | undefined; action: string },
): Promise<BisectView> {
  await writeSetting(context.core.database.db, SETTING, bisect)
  await switchTo(context, bisect.all, bisect.enabled)
  await note(context, { by, action, subject: bisect.culprit ?? '', details: { state: bisect.state } })
  return toView(bisect)
}

/** Has `on` of `all` running and the rest not. Dependents go before what they need, and come after it. */
async function switchTo(
  { host, core }: PluginContext,
  all: readonly string[],
  on: readonly string[],
): Promise<void> {
  const needs = new Map(host.list().map(({ id, manifest }) => [id, manifest.pluginDependencies ?? []]))
  const known = all.filter((id) => needs.has(id))
  const offFirst = new Set(known.filter((id) => !on.includes(id)))
  while (offFirst.size > 0) {
    const free = [...offFirst].find((id) => ![...offFirst].some((other) => needs.get(other)?.includes(id)))
    const id = free ?? ([...offFirst][0] as string)
    offFirst.delete(id)
    await host.disable(id)
  }
  await host.enableAll(known.filter((id) => on.includes(id)))
  core.wake()
}

function toView({ state, step, left, suspects, enabled, all, culprit }: Bisect): BisectView {
  const off = state === 'searching' ? all.filter((id) => !enabled.includes(id)) : []
  return { state, step, left, suspects: [...suspects], on: [...enabled], off, culprit }
}
