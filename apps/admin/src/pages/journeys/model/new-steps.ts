import type { Duration, JourneyDefinition, JourneyNode } from '@huitou/admin-kit/api/journeys.ts'

export type StepType = JourneyNode['type']

/** Kinds of steps as they are offered, those used most first. */
export const stepGroups: { id: 'reach' | 'time' | 'ways' | 'note'; types: StepType[] }[] = [
  { id: 'reach', types: ['send', 'task', 'action'] },
  { id: 'time', types: ['wait', 'wait_event', 'wait_until'] },
  { id: 'ways', types: ['branch', 'split'] },
  { id: 'note', types: ['tag', 'set_trait', 'end'] },
]

export const stepIcons: Record<StepType, string> = {
  send: 'send',
  task: 'headset',
  action: 'zap',
  wait: 'clock',
  wait_event: 'timer',
  wait_until: 'calendar-days',
  branch: 'route',
  split: 'split',
  tag: 'tag',
  set_trait: 'pencil',
  end: 'circle-check',
}

/** What there is to begin with: the first channel, action and event, and words in the reader's language. */
export interface Beginnings {
  channel: string
  action: string
  event: string
  tag: string
  task: string
  arms: [string, string]
}

/** A step as it is when it was just added: complete enough to be kept, and to be changed from there. */
export function newStep(type: StepType, begin: Beginnings): JourneyNode {
  const day: Duration = { days: 1 }
  const steps: Record<StepType, () => JourneyNode> = {
    send: () => ({
      type: 'send',
      channel: begin.channel,
      account: '',
      content: {},
      alternatives: [],
      purpose: 'marketing',
      priority: 0,
      expires: day,
    }),
    task: () => ({
      type: 'task',
      kind: 'call',
      title: begin.task,
      dueMinutes: 60,
      outcomes: {},
      timeout: { days: 7 },
    }),
    action: () => ({ type: 'action', action: begin.action, input: {}, timeout: { hours: 1 } }),
    wait: () => ({ type: 'wait', for: day }),
    wait_event: () => ({ type: 'wait_event', event: begin.event, timeout: day }),
    wait_until: () => ({ type: 'wait_until', time: '10:00' }),
    branch: () => ({ type: 'branch', cases: [{}] }),
    split: () => ({
      type: 'split',
      arms: [
        { name: begin.arms[0], weight: 50 },
        { name: begin.arms[1], weight: 50 },
      ],
    }),
    tag: () => ({ type: 'tag', tag: begin.tag, on: true }),
    set_trait: () => ({ type: 'set_trait', trait: 'stage', value: '' }),
    end: () => ({ type: 'end' }),
  }
  return steps[type]()
}

/** A journey that does nothing yet when `event` comes. */
export function blankJourney(event: string): JourneyDefinition {
  return {
    trigger: { type: 'event', event, maxAgeHours: 24 },
    reentry: { afterDays: 30 },
    holdout: { percent: 10 },
    exits: [],
    start: 'end',
    nodes: { end: { type: 'end' } },
  }
}
