import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'
import { send } from './http.ts'

const one = api.templates[':id']

export type Template = InferResponseType<typeof one.$get>
export type TemplateSummary = InferResponseType<typeof api.templates.$get>['templates'][number]
export type TemplateInput = InferRequestType<typeof api.templates.$post>['json']
export type TemplateVersion = InferResponseType<typeof one.versions.$get>['versions'][number]
export type GalleryTemplate = InferResponseType<typeof api.templates.gallery.$get>['templates'][number]
export type ContentVariable = InferResponseType<typeof api.content.variables.$get>['variables'][number]
export type ContentMistake = InferResponseType<typeof api.content.check.$post>['mistakes'][number]
export type ContentPreview = InferResponseType<typeof api.content.preview.$post>
/** Content as it is sent: fields by name. */
export type Content = NonNullable<InferRequestType<typeof api.content.check.$post>['json']['content']>
type CheckInput = InferRequestType<typeof api.content.check.$post>['json']
type PreviewInput = InferRequestType<typeof api.content.preview.$post>['json']
type TestInput = InferRequestType<(typeof api.content)['test-send']['$post']>['json']

export const listTemplates = (signal?: AbortSignal) => read(api.templates.$get({}, until(signal)))
export const listTemplateGallery = (signal?: AbortSignal) =>
  read(api.templates.gallery.$get({}, until(signal)))
export const getTemplate = (id: string, signal?: AbortSignal) => read(one.$get(at(id), until(signal)))
export const getTemplateVersions = (id: string, signal?: AbortSignal) =>
  read(one.versions.$get(at(id), until(signal)))
export const createTemplate = (template: TemplateInput) => read(api.templates.$post({ json: template }))
export const saveTemplate = (id: string, template: TemplateInput) =>
  read(one.$put({ ...at(id), json: template }))
export const deleteTemplate = (id: string) => done(one.$delete(at(id)))

export const listContentVariables = (query: { event?: string; journeyId?: string }, signal?: AbortSignal) =>
  read(api.content.variables.$get({ query }, until(signal)))
export const checkContent = (draft: CheckInput, signal?: AbortSignal) =>
  read(api.content.check.$post({ json: draft }, until(signal)))
export const previewContent = (draft: PreviewInput, signal?: AbortSignal) =>
  read(api.content.preview.$post({ json: draft }, until(signal)))
export const sendTestMessage = (draft: TestInput) => read(api.content['test-send'].$post({ json: draft }))

export type Asset = InferResponseType<typeof api.assets.$get>['assets'][number]

export const listAssets = (signal?: AbortSignal) => read(api.assets.$get({}, until(signal)))
/** Stores a picture or a PDF for messages. */
export async function uploadAsset(file: File): Promise<Asset> {
  const answer = await send(`/api/assets?name=${encodeURIComponent(file.name)}`, {
    method: 'POST',
    body: file,
  })
  return (await answer.json()) as Asset
}
