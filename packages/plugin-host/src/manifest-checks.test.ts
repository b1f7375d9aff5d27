import { expect, test } from 'vitest'
import type { ColumnRule, Contributions, Manifest } from '@huitou/plugin-api'
import { createPluginFolder } from '../test/fixture-plugins.ts'
import { readManifest } from './manifest.ts'

const schema = { type: 'object', properties: { name: { type: 'string' }, state: { enum: ['open', 'done'] } } }
const collections = [{ id: 'notes', title: 'Notes', schema }]
const output = { id: 'x', title: 'X', type: 'number' as const }
const label = { id: 'a', title: 'A' }

/** What `readManifest` says of a plugin with these contributions; undefined when it is valid. */
async function refusal(contributes: Contributions, more: Partial<Manifest> = {}) {
  await using folder = await createPluginFolder()
  const dir = await folder.write('shop', '', { contributes, ...more })
  return await readManifest(dir).then(
    () => undefined,
    (error: unknown) => error as { message: string; hint: string; details: { findings: object[] } },
  )
}

const wrong: {
  what: string
  contributes: Contributions
  more?: Partial<Manifest>
  path: string
  fix: string
}[] = [
  {
    what: 'a view of a collection that is not there',
    contributes: {
      collections,
      views: [{ id: 'v', title: 'V', kind: 'table', place: 'activityBar', collection: 'note' }],
    },
    path: 'contributes.views[0].collection is "note"',
    fix: 'Name a collection that exists; there are notes',
  },
  {
    what: 'a view of another plugin’s collection without permission',
    contributes: {
      views: [{ id: 'v', title: 'V', kind: 'table', place: 'activityBar', collection: 'acme.crm/notes' }],
    },
    path: 'contributes.views[0].collection',
    fix: 'Add "acme.crm/notes" to permissions.collections',
  },
  {
    what: 'a board without lanes',
    contributes: {
      collections,
      views: [{ id: 'v', title: 'V', kind: 'board', place: 'activityBar', collection: 'notes' }],
    },
    path: 'contributes.views[0] is "board"',
    fix: 'Add "groupBy"',
  },
  {
    what: 'a field that no record has',
    contributes: {
      collections,
      views: [
        { id: 'v', title: 'V', kind: 'table', place: 'activityBar', collection: 'notes', fields: ['nmae'] },
      ],
    },
    path: 'contributes.views[0].fields[0] is "nmae"',
    fix: 'there are name, state',
  },
  {
    what: 'a place that does not exist',
    contributes: {
      collections,
      views: [{ id: 'v', title: 'V', kind: 'table', place: 'sideBar', collection: 'notes' }],
    },
    path: 'contributes.views[0].place is "sideBar"',
    fix: 'activityBar, customerPage',
  },
  {
    what: 'a web view whose page is missing',
    contributes: {
      views: [{ id: 'v', title: 'V', kind: 'webview', place: 'activityBar', entry: 'ui/page.html' }],
    },
    path: 'contributes.views[0].entry',
    fix: 'no such file',
  },
  {
    what: 'an index over an unknown field',
    contributes: { collections: [{ ...collections[0]!, indexes: [['state', 'age']] }] },
    path: 'contributes.collections[0].indexes[0][1] is "age"',
    fix: 'Name a field that exists',
  },
  {
    what: 'a collection that is not of objects',
    contributes: { collections: [{ id: 'n', title: 'N', schema: { type: 'string', properties: {} } }] },
    path: 'contributes.collections[0].schema.type is "string"',
    fix: 'Use "object"',
  },
  {
    what: 'a menu entry for no command',
    contributes: { menus: [{ command: 'go', place: 'customerPage' }] },
    path: 'contributes.menus[0].command is "go"',
    fix: 'Name a command that exists',
  },
  {
    what: 'a when clause that cannot be read',
    contributes: { commands: [{ id: 'go', title: 'Go', when: "role = 'owner'" }] },
    path: 'contributes.commands[0].when',
    fix: 'cannot be read from',
  },
  {
    what: 'an unknown column of its own',
    contributes: { scorers: [{ id: 's', title: 'S', inputs: ['shop_y'], outputs: [output] }] },
    path: 'contributes.scorers[0].inputs[0] is "shop_y"',
    fix: 'its columns are shop_x',
  },
  {
    what: 'two contributions that fill one column',
    contributes: {
      scorers: [{ id: 's', title: 'S', inputs: [], outputs: [output] }],
      segmenters: [{ id: 'x', title: 'X', inputs: [], labels: [label] }],
    },
    path: 'contributes.segmenters[0].id is "x"',
    fix: 'contributes.scorers[0].outputs[0].id already fills that column',
  },
  {
    what: 'labels of which only some have rules',
    contributes: {
      segmenters: [
        {
          id: 'l',
          title: 'L',
          inputs: [],
          labels: [
            { ...label, rule: { all: [] } },
            { id: 'b', title: 'B' },
          ],
        },
      ],
    },
    path: 'contributes.segmenters[0].labels[1]',
    fix: 'Give every label a rule, or none',
  },
  {
    what: 'a rule over a column that is no input',
    contributes: {
      segmenters: [
        {
          id: 'l',
          title: 'L',
          inputs: [],
          labels: [{ ...label, rule: { not: { column: 'c', op: 'is_set' } } }],
        },
      ],
    },
    path: 'contributes.segmenters[0].labels[0].rule is "c"',
    fix: 'Add "c" to the inputs',
  },
  {
    what: 'a rule with an operator that does not exist',
    contributes: {
      segmenters: [
        {
          id: 'l',
          title: 'L',
          inputs: [],
          labels: [{ ...label, rule: { column: 'c', op: 'equals' as 'is' } }],
        },
      ],
    },
    path: 'contributes.segmenters[0].labels[0].rule.op is "equals"',
    fix: 'Use one of "is"',
  },
  ...(
    [
      [
        { column: 'shop_x', op: 'contains', value: '1' },
        '.op is "contains"',
        '"shop_x" holds number; compare it by',
      ],
      [
        { column: 'shop_x', op: 'between', value: [1] },
        '.value is [1]',
        '"between" needs two numbers or days',
      ],
      [{ column: 'shop_x', op: 'gt' }, '.value is absent', '"gt" needs a number'],
      [{ column: 'shop_x', op: 'in', value: [] }, '.value is []', '"in" needs at least one value'],
    ] as [ColumnRule, string, string][]
  ).map(([rule, path, fix]) => ({
    what: `the comparison ${JSON.stringify(rule)}`,
    contributes: {
      scorers: [{ id: 's', title: 'S', inputs: [], outputs: [output] }],
      segmenters: [
        { id: 'l', title: 'L', inputs: ['shop_x'], labels: [{ ...label, rule: { all: [rule] } }] },
      ],
    },
    path: `contributes.segmenters[0].labels[0].rule.all[0]${path}`,
    fix,
  })),
  {
    what: 'a rule about a day that the calendar lacks',
    contributes: {
      segmenters: [
        {
          id: 'l',
          title: 'L',
          inputs: ['first_seen_at'],
          labels: [{ ...label, rule: { column: 'first_seen_at', op: 'before', value: '2026-02-30' } }],
        },
      ],
    },
    more: { permissions: { 'profile.read': ['first_seen_at'] } },
    path: 'contributes.segmenters[0].labels[0].rule.value is "2026-02-30"',
    fix: 'a day such as 2026-11-21',
  },
  {
    what: 'a scorer and no code',
    contributes: { scorers: [{ id: 's', title: 'S', inputs: [], outputs: [output] }] },
    more: { main: undefined as never },
    path: 'contributes.scorers[0] is "s"',
    fix: 'Name the entry that implements it in "main"',
  },
  {
    what: 'an extension point whose schema is none',
    contributes: { extensionPoints: [{ id: 'carrier/v1', title: 'Carrier', schema: { type: 'strnig' } }] },
    path: 'contributes.extensionPoints[0].schema.type',
    fix: 'Use one of "array", "boolean"',
  },
  {
    what: 'an extension point without a version',
    contributes: { extensionPoints: [{ id: 'carrier', title: 'Carrier', schema: {} }] },
    path: 'contributes.extensionPoints[0].id is "carrier"',
    fix: 'a change that breaks contributors is a new version',
  },
  {
    what: 'itself among what it needs',
    contributes: {},
    more: { pluginDependencies: ['test.shop'] },
    path: 'pluginDependencies[0] is "test.shop"',
    fix: 'that is this plugin itself',
  },
  {
    what: 'a schedule that it may not have',
    contributes: {},
    more: { activationEvents: ['onSchedule:0 9 * * *'] },
    path: 'activationEvents[0]',
    fix: 'Add "schedule": true to permissions',
  },
  {
    what: 'a host written as an address',
    contributes: {},
    more: { permissions: { network: ['https://api.example.com/v1'] } },
    path: 'permissions.network[0]',
    fix: 'matches',
  },
]

test.each(wrong)('$what is refused, naming path, value and fix', async ({ contributes, more, path, fix }) => {
  const error = await refusal(contributes, more)
  expect(error?.message).toContain(path)
  expect(error?.hint).toContain(fix)
  expect(error?.details.findings).toHaveLength(1)
})

test('a plugin that uses every point is valid', async () => {
  const id = (name: string) => ({ id: name, title: name })
  const error = await refusal(
    {
      events: [{ name: 'note.written', title: 'Note' }],
      features: [
        { ...id('notes_count'), events: [{ name: 'note.written' }], aggregate: 'count', type: 'integer' },
      ],
      scorers: [{ ...id('s'), inputs: ['shop_notes_count', 'acme_spend'], outputs: [output], fits: true }],
      segmenters: [
        {
          ...id('l'),
          inputs: ['shop_x'],
          labels: [{ ...label, rule: { any: [{ column: 'shop_x', op: 'gt', value: 1 }] } }],
        },
      ],
      reports: [{ ...id('r'), blocks: [{ ...id('b'), kind: 'number' }] }],
      sources: [{ ...id('src'), fields: [], webhooks: [{ path: 'in', title: 'In' }] }],
      channels: [
        {
          ...id('c'),
          messages: ['text'],
          guarantee: 'pushed',
          address: 'phone',
          content: { type: 'object' },
        },
      ],
      actions: [{ ...id('act'), input: {}, output: {}, idempotent: true }],
      conditions: [{ ...id('cond'), inputs: ['shop_x'] }],
      gates: [id('g')],
      journeys: [{ ...id('j'), definition: { title: 'stays' }, expected: 'More' }],
      scripts: [{ ...id('sc'), scripts: [{ ...id('t'), scene: 'birthday', text: 'Hi' }] }],
      templates: [{ ...id('tm'), message: 'text', texts: [{ field: 'body', text: 'Hi' }] }],
      collections: [
        {
          ...collections[0]!,
          titleField: 'name',
          indexes: [['state']],
          references: { name: 'customer' },
          views: ['all'],
        },
      ],
      viewsContainers: [{ ...id('box'), icon: 'box' }],
      views: [
        {
          ...id('all'),
          kind: 'board',
          place: 'box',
          collection: 'notes',
          groupBy: 'state',
          when: "role in ['owner']",
        },
        {
          ...id('d'),
          kind: 'dashboard',
          place: 'dashboard',
          blocks: [{ id: 'one', report: 'r', block: 'b' }],
        },
      ],
      dashboards: [{ ...id('dash'), blocks: [{ id: 'one', report: 'acme.crm/sales', block: 'anything' }] }],
      commands: [{ ...id('go'), input: {}, longRunning: true, when: '!customer.masked' }],
      menus: [{ command: 'go', place: 'viewTitle' }],
      keybindings: [{ command: 'acme.crm/open', key: 'g n' }],
      walkthroughs: [
        { ...id('w'), steps: [{ ...id('first'), command: 'go', completedBy: ['onCommand:go'] }] },
      ],
      models: [{ ...id('m'), kinds: ['text'] }],
      localizations: [{ locale: 'zh-TW', file: 'package.json' }],
      extensionPoints: [
        { id: 'carrier/v1', title: 'Carrier', schema: {}, methods: { ship: { input: {}, output: {} } } },
      ],
      extensions: [{ point: 'acme.crm/card/v2', id: 'e', colour: 'red' }],
      configuration: { type: 'object', properties: {} },
    },
    {
      permissions: {
        'profile.read': ['acme_*'],
        network: ['*.example.com:8443', '10.0.0.7'],
        schedule: true,
        ai: true,
      },
      activationEvents: ['onStartupFinished', 'onEvent:order.*', 'onSchedule:0 9 * * *'],
      pluginPack: ['acme.crm'],
      replaces: ['old.shop'],
      galleryBanner: { color: '#00aa55', theme: 'dark' },
      preview: true,
      enabledApiProposals: ['tasks'],
    },
  )
  expect(error).toBeUndefined()
})
