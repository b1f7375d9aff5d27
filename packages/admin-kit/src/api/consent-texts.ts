import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, done, read, until } from './client.ts'

const texts = api.privacy['consent-texts']
const version = texts[':id'].versions[':version']

export type ConsentText = InferResponseType<typeof texts.$get, 200>['texts'][number]
export type ConsentTextVersion = ConsentText['versions'][number]
export type ConsentVariants = InferRequestType<typeof texts.$post>['json']['variants']
type One = { id: string; version: number }
const one = ({ id, version: number }: One) => ({ param: { id, version: String(number) } })

/** What customers are asked to agree to, with all versions. */
export const listConsentTexts = (signal?: AbortSignal) => read(texts.$get({}, until(signal)))
export const createConsentText = (text: InferRequestType<typeof texts.$post>['json']) =>
  read(texts.$post({ json: text }))
export const addConsentVersion = (id: string, variants: ConsentVariants) =>
  read(texts[':id'].versions.$post({ param: { id }, json: { variants } }))
export const changeConsentVersion = (which: One, variants: ConsentVariants) =>
  done(version.$put({ ...one(which), json: { variants } }))
export const deleteConsentVersion = (which: One) => done(version.$delete(one(which)))
export const publishConsentVersion = (which: One) => done(version.publish.$post(one(which)))
/** From that day of the brand on consents under older versions count no more; null for never. */
export const askForConsentAgain = (which: One, from: string | null) =>
  read(version['ask-again'].$put({ ...one(which), json: { from } }))
