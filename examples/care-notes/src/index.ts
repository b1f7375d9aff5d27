import { definePlugin } from '@huitou/plugin-api'

export interface Note {
  title: string
  customer?: number
  state: 'open' | 'doing' | 'done'
  due?: string
}

export default definePlugin<{ collections: { notes: Note } }>({
  activate(huitou, { subscriptions }) {
    const { notes } = huitou.collections
    subscriptions.push(
      huitou.collectionHooks.register('notes', {
        validate({ data }: { data: Note }, { locale }) {
          if (data.title === undefined || data.title.trim() !== '') return []
          return [{ field: 'title', message: huitou.i18n.t('problem.blank', {}, locale) }]
        },
      }),
      huitou.commands.register('close_all', {
        async run(_input, { progress, signal }) {
          let done = 0
          const total = await notes.count({ where: { state: { not: 'done' } } })
          while (!signal.aborted) {
            const { records } = await notes.find({ where: { state: { not: 'done' } }, limit: 100 })
            if (records.length === 0) break
            for (const { id } of records) {
              await notes.update(id, { state: 'done' })
              progress({ done: ++done, total })
            }
          }
          return { closed: done }
        },
      }),
    )
  },
})
