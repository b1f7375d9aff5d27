import {
  AppIcon,
  EmptyState,
  ErrorCallout,
  LoadingSkeleton,
  toastError,
  useColumns,
  useLocalized,
} from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { h, ref } from 'vue'
import { RouterLink } from 'vue-router'
import { proposals } from './proposals.js'
import RowForm from './row-form.js'
import { addRow, listRows, saveRow, switchRow } from './rows.js'
import { texts } from './texts.js'

export const stylesheets = ['./playbook.css']

const KEY = ['playbook']
const SIGNS = { is: '=', is_not: '≠', gt: '>', gte: '≥', lt: '<', lte: '≤', false: '= false', true: '= true' }

/** One table: behaviour, tag, touch, the agent's part, and what each row came to. */
export default {
  setup() {
    const localized = useLocalized()
    const say = (key, values = {}) =>
      Object.entries(values).reduce(
        (text, [name, value]) => text.replace(`{${name}}`, value),
        localized(texts[key]),
      )
    const client = useQueryClient()
    const query = useQuery({ queryKey: KEY, queryFn: ({ signal }) => listRows(signal) })
    const { eventKinds: events, findEvent } = useColumns()
    const editing = ref(null)
    const saving = ref(false)
    const change = async (work) => {
      saving.value = true
      try {
        const result = await work()
        await client.invalidateQueries({ queryKey: KEY })
        return result
      } catch (error) {
        toastError(error, localized(texts.save))
        return undefined
      } finally {
        saving.value = false
      }
    }
    const add = async (proposal) => {
      const { name, text, script, tag, ...rest } = proposal
      const parameters = {
        ...rest,
        ...(tag ? { tag: localized(tag) } : {}),
        text: localized(text),
        ...(script ? { script: localized(script) } : {}),
      }
      const made = await change(() => addRow(localized(name), parameters))
      if (made && !proposal.event) editing.value = made.id
    }
    const eventTitle = (name) => localized(findEvent(name)?.title ?? name)
    const view = { say, localized, editing, saving, change, eventTitle, events }
    return () =>
      h('div', { class: 'playbook' }, [
        h('header', { class: 'playbook-head' }, [
          h('p', { class: 'muted' }, say('lead')),
          h(
            'button',
            { class: 'btn btn-primary', onClick: () => add({ name: texts.untitled, text: texts.greeting }) },
            [h(AppIcon, { name: 'plus' }), say('newRow')],
          ),
        ]),
        drawRows(query, view),
        drawProposals(query.data.value ?? [], add, view),
      ])
  },
}

function drawRows(query, view) {
  const { say } = view
  if (query.error.value) return h(ErrorCallout, { error: query.error.value, retry: query.refetch })
  if (!query.data.value) return h(LoadingSkeleton, { rows: 6 })
  if (query.data.value.length === 0)
    return h(EmptyState, { icon: 'table', title: say('empty'), text: say('emptyLead') })
  return h('div', { class: 'table-frame' }, [
    h('table', { class: 'table' }, [
      h(
        'thead',
        h(
          'tr',
          ['on', 'name', 'behaviour', 'tag', 'touch', 'agent', 'results'].map((key) =>
            h('th', { key, scope: 'col' }, say(key)),
          ),
        ),
      ),
      h(
        'tbody',
        query.data.value.flatMap((row) => drawRow(row, view)),
      ),
    ]),
  ])
}

function drawRow(row, view) {
  const { editing, saving, change, events } = view
  if (editing.value !== row.id) return [drawCells(row, view)]
  const form = h(RowForm, {
    row,
    events: events.value,
    saving: saving.value,
    onCancel: () => (editing.value = null),
    onSave: (typed) =>
      change(async () => {
        await saveRow(row, typed)
        editing.value = null
      }),
  })
  return [h('tr', { key: row.id }, h('td', { colspan: 7 }, form))]
}

function drawCells(row, { say, editing, saving, change, eventTitle }) {
  const { parameters: given, state } = row
  const cell = (content) =>
    h(
      'td',
      h(
        'button',
        { class: 'playbook-cell', title: say('edit'), onClick: () => (editing.value = row.id) },
        h('span', { class: 'playbook-clip' }, content),
      ),
    )
  const [only] = given.where ?? []
  const wait = given.waitMinutes > 0 ? say('wait', { minutes: given.waitMinutes }) : say('atOnce')
  return h('tr', { key: row.id }, [
    h(
      'td',
      h('input', {
        type: 'checkbox',
        role: 'switch',
        checked: state === 'live',
        disabled: saving.value,
        'aria-label': `${say('on')}: ${row.name}`,
        onChange: () => change(() => switchRow(row)),
      }),
    ),
    h('td', [h(RouterLink, { to: `/journeys/${row.id}`, title: say('open') }, () => row.name)]),
    cell(
      only
        ? `${eventTitle(given.event)} · ${only.property} ${SIGNS[only.op] ?? only.op} ${only.value ?? ''}`
        : eventTitle(given.event),
    ),
    cell(given.tag || say('none')),
    cell(given.text ? `${wait} · ${readable(given.text)}` : say('none')),
    cell(
      given.script ? `${say('within', { minutes: given.minutes })} · ${readable(given.script)}` : say('none'),
    ),
    h('td', { class: 'muted' }, resultsOf(row, say)),
  ])
}

/** A text as it is read: in the place of a variable stands what it is when nothing is known, or its name. */
function readable(text) {
  return text.replaceAll(
    /\{\{\s*(?:\w+\.)?([\w.]+)[^}]*?(?:default:\s*["']([^"']*)["'])?\s*\}\}/g,
    (_, name, otherwise) => `[${otherwise ?? name}]`,
  )
}

function resultsOf({ results }, say) {
  if (!results || !results.treated?.customers) return say('noResults')
  const percent = (arm) =>
    arm?.customers ? `${Math.round((arm.reached / arm.customers) * 1_000) / 10} %` : '–'
  return [
    say('sent', { count: results.sent }),
    h('br'),
    say('goal', { treated: percent(results.treated), holdout: percent(results.holdout) }),
  ]
}

function drawProposals(rows, add, { say, localized, saving, eventTitle }) {
  const names = new Set(rows.map(({ name }) => name))
  return h('section', [
    h('h2', say('proposals')),
    h('p', { class: 'muted' }, say('proposalsLead')),
    h('div', { class: 'table-frame' }, [
      h('table', { class: 'table playbook-proposals' }, [
        h(
          'thead',
          h(
            'tr',
            ['name', 'behaviour', 'tag', 'touch', 'add'].map((key) =>
              h('th', { key, scope: 'col' }, say(key)),
            ),
          ),
        ),
        h(
          'tbody',
          proposals.map((proposal) => {
            const isIn = names.has(proposal.name.en) || names.has(proposal.name['zh-CN'])
            return h('tr', { key: proposal.name.en }, [
              h('td', localized(proposal.name)),
              h('td', { class: 'muted' }, eventTitle(proposal.event)),
              h('td', localized(proposal.tag)),
              h(
                'td',
                h('span', { class: 'playbook-clip' }, readable(localized(proposal.text ?? proposal.script))),
              ),
              h(
                'td',
                h(
                  'button',
                  {
                    class: 'btn btn-sm',
                    disabled: isIn || saving.value,
                    'aria-label': `${say(isIn ? 'added' : 'add')}: ${localized(proposal.name)}`,
                    onClick: () => add(proposal),
                  },
                  isIn ? say('added') : say('add'),
                ),
              ),
            ])
          }),
        ),
      ]),
    ]),
  ])
}
