import { useLocalized } from '@huitou/admin-kit'
import { h, reactive } from 'vue'
import { texts } from './texts.js'

/** The cells of one row, to be changed. */
export default {
  props: { row: Object, events: Array, saving: Boolean },
  emits: ['save', 'cancel'],
  setup(props, { emit }) {
    const localized = useLocalized()
    const { parameters } = props.row
    const [first] = parameters.where ?? []
    const typed = reactive({
      ...parameters,
      name: props.row.name,
      property: first?.property ?? '',
      value: first?.value === undefined ? '' : String(first.value),
    })
    const label = (text, control, wide = false) =>
      h('label', { class: wide ? 'is-wide' : '' }, [localized(texts[text]), control])
    const field = (key, type = 'text') =>
      h('input', {
        class: 'input',
        type,
        value: typed[key],
        onInput: ({ target }) => (typed[key] = type === 'number' ? Number(target.value) : target.value),
      })
    const area = (key) =>
      h('textarea', {
        class: 'input',
        value: typed[key],
        onInput: ({ target }) => (typed[key] = target.value),
      })
    const eventChoice = () =>
      h(
        'select',
        { class: 'input', value: typed.event, onChange: ({ target }) => (typed.event = target.value) },
        eventsWith(props.events, typed.event).map(({ name, title }) =>
          h('option', { key: name, value: name, selected: name === typed.event }, localized(title)),
        ),
      )
    const save = () => {
      const { name, property, value, ...rest } = typed
      emit('save', {
        name: name.trim() || localized(texts.untitled),
        parameters: { ...rest, where: toWhere({ property, value }, parameters.where) },
      })
    }
    return () =>
      h('div', { class: 'playbook-form' }, [
        label('name', field('name')),
        label('behaviour', eventChoice()),
        label('only', field('property')),
        label('value', field('value')),
        label('tag', field('tag')),
        label('minutesToWait', field('waitMinutes', 'number')),
        label('message', area('text'), true),
        label('link', field('link'), true),
        label('script', area('script'), true),
        label('minutesForAgent', field('minutes', 'number')),
        h('div', { class: 'playbook-actions is-wide' }, [
          h(
            'button',
            { class: 'btn btn-primary', disabled: props.saving, onClick: save },
            localized(texts.save),
          ),
          h('button', { class: 'btn', onClick: () => emit('cancel') }, localized(texts.cancel)),
        ]),
      ])
  },
}

/** An event that has not arrived yet can be chosen all the same. */
function eventsWith(events, name) {
  return events.some((event) => event.name === name) ? events : [{ name, title: name }, ...events]
}

/** Conditions beyond the one that the table shows stay as they are. */
function toWhere({ property, value }, before = []) {
  const rest = before.slice(1)
  if (!property.trim()) return rest
  const [first] = before
  const op = first?.property === property.trim() ? first.op : 'is'
  return [{ property: property.trim(), op, ...(value === '' ? {} : { value }) }, ...rest]
}
