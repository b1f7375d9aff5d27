import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { TEXT_ID } from './consent-ledger.ts'
import { CONSENT_PURPOSES } from './consents.ts'
import type { ConsentRenewals } from './consent-renewals.ts'
import {
  addConsentVersion,
  askForConsentAgain,
  changeConsentVersion,
  createConsentText,
  deleteConsentVersion,
  listConsentTexts,
  publishConsentVersion,
} from './consent-texts.ts'

const tags = ['privacy']
const TextId = z.string().regex(TEXT_ID, 'small letters, digits and hyphens, such as newsletter')
const Variants = z
  .partialRecord(z.enum(['zh-CN', 'en']), z.string().trim().max(10_000))
  .refine(
    (variants) => Object.values(variants).some((text) => text !== ''),
    'a text in one language at least',
  )
  .transform(
    (variants) =>
      Object.fromEntries(Object.entries(variants).filter(([, text]) => text !== '')) as Record<
        string,
        string
      >,
  )
const OneText = z.object({ id: TextId })
const OneVersion = OneText.extend({ version: z.coerce.number().int().positive() })
const NewText = OneText.extend({
  title: z.string().trim().min(1).max(120),
  purpose: z.enum(CONSENT_PURPOSES).default('marketing'),
  /** Full id of a channel, or `*` for all of them. */
  channel: z.string().min(1).max(200).default('*'),
  variants: Variants,
})
const Words = z.object({ variants: Variants })
const AskAgain = z.object({
  /** Day of the brand from which older consents count no more; null for never. */
  from: z.iso.date().nullable(),
})

type Deps = Pick<CoreContext, 'database' | 'clock' | 'brand'> & { renewals: ConsentRenewals }

/** What customers are asked to agree to, mounted at `/api/privacy/consent-texts`. */
export function consentTextRoutes(deps: Deps) {
  return new Hono<SignedIn>().route('/', writingRoutes(deps)).route('/', askingRoutes(deps))
}

function writingRoutes(deps: Deps) {
  const { database } = deps
  const note = noter(deps)
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Consent texts with all their versions' }), async (c) =>
      answerJson(c, { texts: await listConsentTexts(database.db) }),
    )
    .post(
      '/',
      describeRoute({ tags, summary: 'A new consent text, as a draft' }),
      validate('json', NewText),
      async (c) => {
        const text = c.req.valid('json')
        await createConsentText(deps, text, c.get('user').id)
        await note(c.get('user').id, 'consent-text.create', text.id)
        return c.json({ id: text.id, version: 1 }, 201)
      },
    )
    .post(
      '/:id/versions',
      describeRoute({ tags, summary: 'A new version of a consent text, as a draft' }),
      validate('param', OneText),
      validate('json', Words),
      async (c) => {
        const { id } = c.req.valid('param')
        const version = await addConsentVersion(deps, { id, ...c.req.valid('json') }, c.get('user').id)
        await note(c.get('user').id, 'consent-text.create', id, { version })
        return c.json({ id, version }, 201)
      },
    )
    .put(
      '/:id/versions/:version',
      describeRoute({ tags, summary: 'Change a draft; what was published or used never changes' }),
      validate('param', OneVersion),
      validate('json', Words),
      async (c) => {
        const one = c.req.valid('param')
        await changeConsentVersion(deps, { ...one, ...c.req.valid('json') })
        await note(c.get('user').id, 'consent-text.change', one.id, { version: one.version })
        return c.json({ changed: true })
      },
    )
    .delete(
      '/:id/versions/:version',
      describeRoute({ tags, summary: 'Throw a draft away' }),
      validate('param', OneVersion),
      async (c) => {
        const one = c.req.valid('param')
        await deleteConsentVersion(deps, one)
        await note(c.get('user').id, 'consent-text.delete', one.id, { version: one.version })
        return c.body(null, 204)
      },
    )
}

function askingRoutes(deps: Deps) {
  const note = noter(deps)
  return new Hono<SignedIn>()
    .post(
      '/:id/versions/:version/publish',
      describeRoute({ tags, summary: 'Show this version to customers from now on' }),
      validate('param', OneVersion),
      async (c) => {
        const one = c.req.valid('param')
        await publishConsentVersion(deps, one)
        await note(c.get('user').id, 'consent-text.publish', one.id, { version: one.version })
        return c.json({ published: true })
      },
    )
    .put(
      '/:id/versions/:version/ask-again',
      describeRoute({
        tags,
        summary: 'Whether, and from which day, consents under older versions count no more',
      }),
      validate('param', OneVersion),
      validate('json', AskAgain),
      async (c) => {
        const one = c.req.valid('param')
        const { from } = c.req.valid('json')
        const moment = await askForConsentAgain(deps, { ...one, from })
        await note(c.get('user').id, 'consent-text.ask-again', one.id, { version: one.version, from })
        const { id } = await deps.renewals.start()
        return c.json({ from: moment, jobId: id })
      },
    )
}

/** Writes down who changed what customers are asked. */
function noter({ database, clock }: Deps) {
  return (userId: string, action: string, subject: string, details?: Record<string, unknown>) =>
    audit(database.db, clock, { userId, action, subject, ...(details ? { details } : {}) })
}
