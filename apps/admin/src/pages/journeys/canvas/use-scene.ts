import { useFormat } from '@huitou/admin-kit'
import type { JourneyDefinition, JourneyMistake, JourneyNode } from '@huitou/admin-kit/api/journeys.ts'
import { computed } from 'vue'
import type { ComputedRef, Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { stepIcons } from '../model/new-steps.ts'
import { type Place, portsOf, TRIGGER } from '../model/ports.ts'
import { triggerIcon } from '../trigger-icon.ts'
import type { useStepWords } from '../use-step-words.ts'
import type { Figures } from './figures.ts'
import { type Box, type Drawing, type DrawnEdge, openEnd } from './layout.ts'
import { useAsides } from './use-asides.ts'

export interface Scene {
  props: {
    readonly definition: JourneyDefinition
    readonly figures: Figures | undefined
    readonly problems: ReadonlyMap<string, JourneyMistake[]>
    readonly readonly?: boolean
  }
  drawing: ComputedRef<Drawing>
  words: ReturnType<typeof useStepWords>
  over: Ref<string | undefined>
}

/** Steps and ways as Vue Flow draws them, with their words and figures. */
export function useScene({ props, drawing, words, over }: Scene) {
  const { t } = useI18n()
  const format = useFormat()
  const count = (value: number) => (props.figures ? format.number(value) : '')

  const problemAt = (id: string) =>
    props.problems
      .get(id)
      ?.map(({ message }) => message)
      .join(' · ')

  function stepNode(id: string, box: Box) {
    const node = props.definition.nodes[id]!
    const kind = words.kindTitle(node)
    const text = words.stepText(node)
    const takes = node.type !== 'send' && node.type !== 'task' && node.type !== 'action'
    const card = {
      kind,
      text,
      icon: iconOf(node),
      note: noteOf(id, node),
      tone: takes ? 'plain' : 'reach',
      small: node.type === 'end',
      problem: problemAt(id),
    }
    return place(id, box, {
      card,
      ports: portsOf(node).map(({ port }) => port),
      takes: true,
      canMove: portsOf(node).length === 1,
    })
  }

  function iconOf(node: JourneyNode): string {
    if (node.type === 'send') return words.points.findChannel(node.channel)?.icon ?? stepIcons.send
    if (node.type === 'action') return words.points.findAction(node.action)?.icon ?? stepIcons.action
    return stepIcons[node.type]
  }

  function noteOf(id: string, node: JourneyNode): string {
    const waiting = props.figures?.of(id)?.waiting ?? 0
    return waiting > 0 ? t('journeys.waitingHere', { n: format.number(waiting) }) : words.stepNote(node)
  }

  const trigger = computed(() => {
    const { trigger: begin, filter } = props.definition
    const text = words.triggerText(begin)
    const kind = filter ? t('journeys.triggerFiltered') : t('journeys.trigger')
    return {
      kind,
      text,
      icon: triggerIcon(begin),
      note: props.figures ? t('journeys.enteredHere', { n: count(props.figures.entered) }) : '',
      tone: 'plain',
      problem: problemAt(TRIGGER),
    }
  })

  const asides = useAsides({ props, drawing, words })

  const nodes = computed(() => [
    ...[...drawing.value.boxes].map(([id, box]) => {
      if (id === TRIGGER) return place(id, box, { card: trigger.value, ports: ['next'], takes: false })
      if (props.definition.nodes[id]) return stepNode(id, box)
      const way = drawing.value.edges.find((edge) => openEnd(edge.id) === id)!
      return place(id, box, { isOpen: true, place: { node: way.node, port: way.port } })
    }),
    ...asides.value.map(({ id, box, card }) => place(id, box, { card, ports: [], takes: false })),
  ])

  function wayCount({ node, port }: DrawnEdge): string {
    if (!props.figures) return ''
    if (node === TRIGGER) return count(props.figures.treated)
    return count(props.figures.through(node, props.definition.nodes[node]!, port))
  }

  function wayEdge(edge: DrawnEdge) {
    const from = props.definition.nodes[edge.node]
    const text = from ? words.wayText(from, edge.port) : ''
    const after = from ? words.stepText(from) : words.triggerText(props.definition.trigger)
    return {
      id: edge.id,
      data: {
        path: edge.path,
        label: edge.label,
        text,
        count: wayCount(edge),
        tone: 'plain' as const,
        canAdd: !props.readonly,
        isOver: over.value === edge.id,
        addLabel: t('journeys.addAfter', { step: [after, text].filter(Boolean).join(': ') }),
        place: { node: edge.node, port: edge.port } as Place | undefined,
      },
    }
  }

  const edges = computed(() => [...drawing.value.edges.map(wayEdge), ...asides.value.map(({ edge }) => edge)])

  return { nodes, edges }
}

function place(id: string, { x, y, width, height }: Box, data: object) {
  return { id, type: 'step', position: { x, y }, width, height, data }
}
