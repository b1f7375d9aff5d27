import { useFormat } from '@huitou/admin-kit'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { TRIGGER } from '../model/ports.ts'
import { type Box, STEP } from './layout.ts'
import type { Scene } from './use-scene.ts'

/** Room for the number between a step and what stands at its side. */
const ASIDE = 76
const HOLDOUT = '$holdout'
const GOAL = '$goal'

/** What stands beside the way of the customers: those held out, and the goal. */
interface Aside {
  id: string
  from: string
  box: Box
  card: object
  tone: 'hold' | 'goal'
  text: string
}

/** The hold-out and the goal, each with the line that leads to it. */
export function useAsides({ props, drawing, words }: Omit<Scene, 'over'>) {
  const { t } = useI18n()
  const format = useFormat()
  const count = (value: number) => (props.figures ? format.number(value) : '')

  /** Where something may stand right of a step, clear of whatever else is in its row. */
  function beside(id: string): Box {
    const box = drawing.value.boxes.get(id)!
    const middle = box.y + box.height / 2
    const right = Math.max(
      ...[...drawing.value.boxes.values()]
        .filter(({ y, height }) => y < middle + STEP.height / 2 && y + height > middle - STEP.height / 2)
        .map(({ x, width }) => x + width),
    )
    return { x: right + ASIDE, y: middle - STEP.height / 2, ...STEP }
  }

  return computed(() => {
    const { holdout, goal, start } = props.definition
    const found: ReturnType<typeof aside>[] = []
    if (holdout.percent > 0) {
      const text = t('journeys.holdoutText')
      const kind = t('journeys.holdout', { n: holdout.percent })
      const note = props.figures ? t('journeys.people', { n: count(props.figures.heldOut) }) : ''
      found.push(
        aside({
          id: HOLDOUT,
          from: TRIGGER,
          box: beside(TRIGGER),
          tone: 'hold',
          text: count(props.figures?.heldOut ?? 0) || `${holdout.percent}%`,
          card: {
            kind,
            text,
            note,
            icon: 'flask',
            tone: 'hold',
          },
        }),
      )
    }
    if (goal && drawing.value.boxes.has(start)) {
      const text = words.eventText(goal.event, goal.where)
      const kind = t('journeys.goal')
      const note = props.figures ? t('journeys.people', { n: count(props.figures.goals) }) : ''
      found.push(
        aside({
          id: GOAL,
          from: start,
          box: beside(start),
          tone: 'goal',
          text: t('journeys.anytime'),
          card: {
            kind,
            text,
            note,
            icon: 'flag',
            tone: 'goal',
          },
        }),
      )
    }
    return found
  })

  function aside(given: Aside) {
    const start = drawing.value.boxes.get(given.from)!
    const y = given.box.y + given.box.height / 2
    const x = start.x + start.width
    const data = {
      path: `M ${x} ${y} L ${given.box.x} ${y}`,
      label: { x: (x + given.box.x) / 2 - 2, y },
      text: given.text,
      count: '',
      tone: given.tone,
      canAdd: false,
      isOver: false,
      addLabel: '',
      place: undefined,
    }
    return { ...given, edge: { id: `${given.from}:${given.id}`, data } }
  }
}
