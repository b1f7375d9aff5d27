import type { ModelContribution, ModelUsage } from '@huitou/plugin-api'
import { check, isMissing, must } from './contract.ts'
import type { Check, Subject } from './contract.ts'
import { sampleOf } from './schema-samples.ts'

const texts = ['回头客', 'a returning customer', '']
const labels = [{ id: 'praise' }, { id: 'complaint', description: 'Something went wrong' }]

type Kind = ModelContribution['kinds'][number]
/** Makes a request; nothing comes back when the provider could not be reached. */
type Ask = <T>(method: string, request: object) => Promise<T | undefined>
type Promised = [title: string, run: (ask: Ask) => Promise<void>]

const promises: Record<Kind, Promised[]> = {
  text: [
    ['writes text, or says why not', writesText],
    ['writes JSON where JSON is asked for', writesJson],
  ],
  embedding: [
    ['gives every text a vector of one length', givesVectors],
    ['gives no vectors for no texts', givesNoVectors],
  ],
  classification: [
    ['gives every text the place of a label, or -1', givesLabels],
    ['labels nothing when there is no text', givesNoLabels],
  ],
}

/**
 * What the server relies on in every provider of models. Nothing answers the network here: a provider that asks it has to
 * fail with an error that has a code, one that computes on its own has to answer well.
 */
export function modelChecks(subject: Subject<ModelContribution>): Check[] {
  const settings = sampleOf(subject.declaration.settings) ?? {}
  const ask: Ask = async <T>(method: string, request: object) => {
    try {
      return await subject.call<T>(method, { settings, ...request })
    } catch (error) {
      const { code } = error as { code?: string }
      must(!isMissing(error), `it has no ${method}(), which its kinds declare`)
      // What the plugin's own code trips over carries no code of its own.
      must(code && code !== 'E_PLUGIN', `${method}() failed without a code: ${(error as Error).message}`)
      return undefined
    }
  }
  return subject.declaration.kinds.flatMap((kind) =>
    promises[kind].map(([title, run]) => check(subject, 'models', title, () => run(ask))),
  )
}

async function writesText(ask: Ask): Promise<void> {
  const messages = [{ role: 'user', text: 'Greet a customer' }]
  const answer = await ask<{ text: string; usage?: ModelUsage }>('generate', { messages })
  if (!answer) return
  must(typeof answer.text === 'string', 'generate() answered no text')
  checkUsage('generate', answer.usage)
}

async function writesJson(ask: Ask): Promise<void> {
  const schema = { type: 'object', properties: { greeting: { type: 'string' } }, required: ['greeting'] }
  const messages = [{ role: 'user', text: 'Greet a customer, as {"greeting": "…"}' }]
  const answer = await ask<{ text: string }>('generate', { messages, schema })
  if (answer) must(isObject(answer.text), `generate() was asked for JSON and answered ${answer.text}`)
}

async function givesVectors(ask: Ask): Promise<void> {
  const answer = await ask<{ vectors: Float32Array[]; usage?: ModelUsage }>('embed', { texts })
  if (!answer) return
  const { vectors, usage } = answer
  must(vectors?.length === texts.length, `embed() gave ${vectors?.length} vectors for ${texts.length} texts`)
  must(
    vectors.every((each) => each instanceof Float32Array && each.length > 0 && each.every(Number.isFinite)),
    'embed() gave a vector that is no Float32Array of finite numbers',
  )
  must(new Set(vectors.map(({ length }) => length)).size === 1, 'embed() gave vectors of different lengths')
  checkUsage('embed', usage)
}

async function givesNoVectors(ask: Ask): Promise<void> {
  const answer = await ask<{ vectors: Float32Array[] }>('embed', { texts: [] })
  if (answer) must(answer.vectors?.length === 0, 'embed() gave vectors for no text')
}

async function givesLabels(ask: Ask): Promise<void> {
  const answer = await ask<{ labels: Int16Array; usage?: ModelUsage }>('classify', { texts, labels })
  if (!answer) return
  must(answer.labels instanceof Int16Array, 'classify() answered no Int16Array')
  must(
    answer.labels.length === texts.length,
    `classify() labelled ${answer.labels.length} of ${texts.length}`,
  )
  const wrong = answer.labels.find((place) => place < -1 || place >= labels.length)
  must(wrong === undefined, `classify() gave the label ${wrong}; there are ${labels.length}, and -1 for none`)
  checkUsage('classify', answer.usage)
}

async function givesNoLabels(ask: Ask): Promise<void> {
  const answer = await ask<{ labels: Int16Array }>('classify', { texts: [], labels })
  if (answer) must(answer.labels?.length === 0, 'classify() labelled no text')
}

function checkUsage(method: string, usage: ModelUsage = {}): void {
  for (const [name, tokens] of Object.entries(usage)) {
    must(
      tokens === undefined || (Number.isInteger(tokens) && tokens >= 0),
      `${method}() counted ${String(tokens)} ${name}`,
    )
  }
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'greeting' in value
  } catch {
    return false
  }
}
