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
