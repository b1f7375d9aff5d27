import type { Core, PointOwner } from '@huitou/core'
import type {
  ActionContext,
  ConditionBatch,
  Contributions,
  GateDelivery,
  GateVerdict,
  RunContext,
} from '@huitou/plugin-api'
import type { PluginHost } from '@huitou/plugin-host'

/** An action may ask somebody else; a condition reads what it is handed; a gate keeps a message waiting. */
const ACTION_DEADLINE_MS = 60_000
const CONDITION_DEADLINE_MS = 30_000
const GATE_DEADLINE_MS = 5_000

/**
 * Adds the actions, conditions and gates that a plugin declares to the core's points, under full ids. Yields what takes
 * each out again.
 */
export function* addSteps(
  { points }: Pick<Core, 'points'>,
  host: Pick<PluginHost, 'call'>,
  { owner, declared }: { owner: PointOwner; declared: Contributions },
): Generator<() => void> {
  const idOf = (id: string) => `${owner.plugin}/${id}`
  const call = async <T>(
    [point, id, method]: [point: 'actions' | 'conditions' | 'gates', id: string, method: string],
    input: unknown,
    context: RunContext,
    deadlineMs: number,
  ) => (await host.call(owner.plugin, point, id, method, [input, context], { deadlineMs })) as T
  for (const action of declared.actions ?? []) {
    yield points.actions.add(owner, idOf(action.id), {
      ...action,
      run: (input: Record<string, unknown>, context: ActionContext) =>
        call(['actions', action.id, 'run'], input, context, ACTION_DEADLINE_MS),
    })
  }
  for (const condition of declared.conditions ?? []) {
    yield points.conditions.add(owner, idOf(condition.id), {
      ...condition,
      run: (batch: ConditionBatch, context: RunContext) =>
        call<Uint8Array>(['conditions', condition.id, 'test'], batch, context, CONDITION_DEADLINE_MS),
    })
  }
  for (const gate of declared.gates ?? []) {
    yield points.gates.add(owner, idOf(gate.id), {
      ...gate,
      run: (delivery: GateDelivery, context: RunContext) =>
        call<GateVerdict>(['gates', gate.id, 'allow'], delivery, context, GATE_DEADLINE_MS),
    })
  }
}
