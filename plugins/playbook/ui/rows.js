import { json } from './request.js'

export const TEMPLATE = 'huitou.playbook/row'
const one = (id) => `/api/journeys/${encodeURIComponent(id)}`

/** Rows of the table, with what each came to. */
export async function listRows(signal) {
  const { journeys } = await json(`/api/journeys/from-template?template=${TEMPLATE}`, { signal })
  return await Promise.all(journeys.map((row) => withResults(row, signal)))
}

async function withResults(row, signal) {
  if (row.publishedVersion === null) return { ...row, results: null }
  const [{ nodes }, results] = await Promise.all([
    json(`${one(row.id)}/stats`, { signal }),
    json(`${one(row.id)}/results`, { signal }),
  ])
  const touched = nodes.filter(({ node }) => node === 'touch')
  const sent = touched.reduce((sum, { outcomes }) => sum + (outcomes.planned ?? 0), 0)
  const armOf = (name) => results.arms.find(({ arm }) => arm === name)
  return { ...row, results: { sent, treated: armOf('treated'), holdout: armOf('holdout') } }
}

export async function addRow(name, parameters) {
  return await json('/api/journeys/from-template', { body: { template: TEMPLATE, name, parameters } })
}

/** Keeps what was typed; a row that is on goes on with it at once. */
export async function saveRow(row, { name, parameters }) {
  if (name !== row.name) await json(one(row.id), { method: 'PUT', body: { name } })
  await json(`${one(row.id)}/parameters`, { method: 'PUT', body: { parameters } })
  if (row.state === 'live') await json(`${one(row.id)}/publish`, { body: {} })
}

/** A row that was changed while it was off is published with its changes. */
export async function switchRow(row) {
  const isOn = row.state === 'live'
  await json(`${one(row.id)}/${isOn ? 'pause' : 'publish'}`, { body: {} })
}
