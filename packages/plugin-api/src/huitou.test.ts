import { expectTypeOf, test } from 'vitest'
import { definePlugin } from './index.ts'
import type {
  CollectionRecord,
  ColumnBatch,
  Contributions,
  Huitou,
  Localized,
  Plugin,
  PointName,
  ResolvedManifest,
  Texts,
} from './index.ts'

interface Settings {
  days: number
  shop?: string
}

interface Note {
  title: string
  customer: number
}

interface Types {
  settings: Settings
  collections: { notes: Note }
}

test('a plugin that names its types gets them back from huitou', () => {
  definePlugin<Types>({
    activate(huitou) {
      expectTypeOf(huitou.settings).toEqualTypeOf<Readonly<Settings>>()
      expectTypeOf(huitou.collections.notes.get).returns.resolves.toEqualTypeOf<CollectionRecord<Note>>()
      expectTypeOf(huitou.collections.notes.insert).parameter(0).toEqualTypeOf<Note>()
      // @ts-expect-error -- no such collection
      void huitou.collections.note
      // @ts-expect-error -- a setting is read, never written
      huitou.settings.days = 3
      huitou.onDidChangeSettings((settings) => expectTypeOf(settings.days).toEqualTypeOf<number>())
    },
  })
})

test('a plugin that names none gets open ones', () => {
  definePlugin({
    activate(huitou) {
      expectTypeOf(huitou.settings['days']).toEqualTypeOf<unknown>()
      expectTypeOf(huitou.collections['notes']!.count).returns.resolves.toEqualTypeOf<number>()
    },
  })
  expectTypeOf<Plugin>().toExtend<Plugin<{ settings: Record<string, unknown> }>>()
})

test('implementations are checked against their point', () => {
  definePlugin({
    activate(huitou) {
      huitou.segmenters.register('level', { assign: ({ ids }) => new Int16Array(ids.length) })
      // @ts-expect-error -- labels are indexes, not words
      huitou.segmenters.register('level', { assign: () => ['gold'] })
      // @ts-expect-error -- a channel has to send
      huitou.channels.register('sms', { poll: () => [] })
      huitou.channels.register('sms', {
        send: ({ deliveries }) => deliveries.map(({ key }) => ({ key, outcome: 'sent' })),
      })
      huitou.commands.register('go', { run: (input: { days: number }) => input.days })
      huitou.collectionHooks.register('notes', {
        validate: ({ data }: { data: Note }) => (data.title ? [] : [{ field: 'title', message: 'is empty' }]),
      })
      huitou.extensions.register('card', { show: ({ id }: { id: string }) => id })
    },
  })
})

test('queries know the published views', () => {
  const query = (huitou: Huitou) =>
    huitou.db.selectFrom('segment_members').select(['segment_id', 'entered_at']).execute()
  expectTypeOf(query).returns.resolves.toEqualTypeOf<{ segment_id: string; entered_at: number }[]>()
  // @ts-expect-error -- not a published view
  const wrong = (huitou: Huitou) => huitou.db.selectFrom('users')
  expectTypeOf(wrong).toBeFunction()
})

test('proposed parts may be missing', () => {
  expectTypeOf<undefined>().toExtend<Huitou['jobs']>()
  expectTypeOf<Huitou['customers']['read']>().returns.resolves.toEqualTypeOf<ColumnBatch>()
})

test('a manifest as the host hands it out has its texts in each language', () => {
  expectTypeOf<ResolvedManifest['displayName']>().toEqualTypeOf<Texts>()
  type Point<Name extends PointName> = NonNullable<Localized<Contributions>[Name]>
  expectTypeOf<Point<'reports'>[number]['group']>().toEqualTypeOf<Texts | undefined>()
  expectTypeOf<Point<'commands'>[number]['category']>().toEqualTypeOf<Texts | undefined>()
  expectTypeOf<Point<'scripts'>[number]['scripts'][number]['text']>().toEqualTypeOf<Texts>()
  expectTypeOf<Point<'scripts'>[number]['scripts'][number]['scene']>().toEqualTypeOf<string>()
  expectTypeOf<Point<'menus'>[number]['group']>().toEqualTypeOf<string | undefined>()
})
