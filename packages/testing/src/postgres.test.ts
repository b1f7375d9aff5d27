import pg from 'pg'
import { expect, test } from 'vitest'
import { createPostgresDatabase } from './postgres.ts'

async function query(url: string, statement: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

test('two databases of one run know nothing of each other', async () => {
  const [one, two] = await Promise.all([createPostgresDatabase(), createPostgresDatabase()])
  await query(one.url, 'create table orders (id integer)')
  expect(await query(one.url, `select to_regclass('orders') is not null as there`)).toEqual([{ there: true }])
  expect(await query(two.url, `select to_regclass('orders') is not null as there`)).toEqual([
    { there: false },
  ])
  await Promise.all([one.drop(), two.drop()])
})

test('copies of a template hold what it held, are filled once, and know nothing of each other', async () => {
  let fills = 0
  const template = {
    name: 'shelf',
    async fill(where: { url: string } | { file: string }) {
      fills++
      await query(
        'url' in where ? where.url : '',
        'create table shelf (id integer); insert into shelf values (7)',
      )
    },
  }
  const [one, two] = await Promise.all([createPostgresDatabase(template), createPostgresDatabase(template)])
  await query(one.url, 'delete from shelf')
  expect(await query(two.url, 'select id from shelf')).toEqual([{ id: 7 }])
  expect(fills).toBe(1)
  await Promise.all([one.drop(), two.drop()])
})

test('text sorts by code point, as in SQLite', async () => {
  const database = await createPostgresDatabase()
  const rows = await query(
    database.url,
    `select string_agg(word, ' ' order by word) as words from unnest(array['b', 'A', 'a', 'B', '中']) as t(word)`,
  )
  expect(rows).toEqual([{ words: 'A B a b 中' }])
  await database.drop()
})

test('a database goes even when a connection was left open', async () => {
  const database = await createPostgresDatabase()
  const forgotten = new pg.Client({ connectionString: database.url })
  forgotten.on('error', () => {})
  await forgotten.connect()
  await database.drop()
  await expect(query(database.url, 'select 1')).rejects.toThrow(/does not exist/)
  await database.drop()
})
