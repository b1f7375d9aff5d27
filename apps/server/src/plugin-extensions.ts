import { compileSchema, problemsOf } from '@huitou/core'
import {
  AppError,
  type Extension,
  type ExtensionContribution,
  type ExtensionPointContribution,
  type JsonSchema,
  notFound,
  type RunContext,
} from '@huitou/plugin-api'
import type { PluginHost } from '@huitou/plugin-host'

const CALL_DEADLINE_MS = 30_000

/** What plugins contribute to points that other plugins define, checked against what the definer declares. */
export class PluginExtensions {
  readonly #host: () => Promise<PluginHost>

  constructor(host: () => Promise<PluginHost>) {
    this.#host = host
  }

  /** Contributions of enabled plugins to `point` (`publisher.name/point/v1`) that fit its schema. */
  async list(point: string): Promise<Extension[]> {
    return extensionsOf(await this.#host(), point)
  }

  /** Calls a contributor's method. What goes in and what comes out must fit the schemas that the point declares. */
  async call(
    {
      point,
      contributorId,
      method,
      input,
    }: { point: string; contributorId: string; method: string; input: unknown },
    context: Pick<RunContext, 'now' | 'signal'>,
  ): Promise<unknown> {
    const host = await this.#host()
    const { methods = {} } = getPoint(host, point)
    const declared = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!declared) throw notFound(`Method of extension point "${point}"`, method)
    const found = extensionsOf(host, point).find(({ id }) => id === contributorId)
    if (!found) throw notFound(`Contribution to "${point}"`, contributorId)
    const owner = point.slice(0, point.indexOf('/'))
    checkValue(declared.input, input, {
      code: 'E_EXTENSION_INPUT',
      message: `Plugin "${owner}" calls ${method} of "${contributorId}" with something else than its point declares`,
    })
    const id = contributorId.slice(contributorId.indexOf('/') + 1)
    const answer = await host.call(found.plugin, 'extensions', id, method, [input, context], {
      deadlineMs: CALL_DEADLINE_MS,
    })
    checkValue(declared.output, answer, {
      code: 'E_EXTENSION_ANSWER',
      message: `Plugin "${found.plugin}" answers ${method} of "${contributorId}" with something else than "${point}" declares`,
    })
    return answer
  }
}

function extensionsOf(host: PluginHost, point: string): Extension[] {
  const check = compileSchema(getPoint(host, point).schema)
  return contributionsTo(host, point).flatMap(({ plugin, contribution }) => {
    const { point: _point, id, ...data } = contribution
    return check(inOneLanguage(data)) ? [{ id: `${plugin}/${id}`, plugin, data }] : []
  })
}

function getPoint(host: PluginHost, point: string): ExtensionPointContribution {
  const definer = point.slice(0, point.indexOf('/'))
  const id = point.slice(definer.length + 1)
  const plugin = host.contributions().find(({ pluginId }) => pluginId === definer)
  const declared = (plugin?.contributes.extensionPoints ?? []) as unknown as ExtensionPointContribution[]
  const found = declared.find((each) => each.id === id)
  if (!found) throw notFound('Extension point', point)
  return found
}

function contributionsTo(
  host: PluginHost,
  point: string,
): { plugin: string; contribution: ExtensionContribution }[] {
  return host
    .contributions()
    .flatMap(({ pluginId, contributes }) =>
      ((contributes.extensions ?? []) as unknown as ExtensionContribution[])
        .filter((contribution) => contribution.point === point)
        .map((contribution) => ({ plugin: pluginId, contribution })),
    )
}

/** Tells plugins whose points have gained or lost contributions. */
export function announceExtensions(host: PluginHost): void {
  host.onDidChangeContributions(({ added, removed }) => {
    const points = [...added, ...removed].flatMap(({ contributes }) =>
      ((contributes.extensions ?? []) as unknown as ExtensionContribution[]).map(({ point }) => point),
    )
    const present = new Set(host.contributions().map(({ pluginId }) => pluginId))
    for (const point of new Set(points)) {
      const definer = point.slice(0, point.indexOf('/'))
      if (present.has(definer)) host.tell(definer, `extensions ${point}`, null)
    }
  })
}

function checkValue(
  schema: JsonSchema | undefined,
  value: unknown,
  { code, message }: { code: string; message: string },
): void {
  if (!schema) return
  const check = compileSchema(schema, { answer: true })
  if (check(value)) return
  const problems = problemsOf(check.errors)
  throw new AppError('bug', code, message, {
    hint: problems.map(({ field, message: problem }) => `${field || 'It'} ${problem}`).join('; '),
    details: { problems },
  })
}

/** Texts stand in every language where the manifest has one: the schema speaks of the manifest. */
function inOneLanguage(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(inOneLanguage)
  const { en, 'zh-CN': zh, ...others } = value as Record<string, unknown>
  if (typeof en === 'string' && typeof zh === 'string' && Object.keys(others).length === 0) return en
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inOneLanguage(inner)]))
}
