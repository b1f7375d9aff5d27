import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Env, Hono, type Schema } from 'hono'
import { generateSpecs } from 'hono-openapi'

const FILES: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
}

/** What every error answers: RFC 9457 and what Huitou adds. */
const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; starts with E_' },
    detail: { type: 'string', description: 'What happened to which thing' },
    hint: { type: 'string', description: 'What to do next' },
    details: { type: 'object' },
  },
}

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Huitou API</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="page"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body></html>`

/** The API's description at `/openapi.json`, and a page to read it at `/docs`, without anything from elsewhere. */
export function docsRoutes<E extends Env, S extends Schema, P extends string>(
  described: Hono<E, S, P>,
  version: string,
) {
  const folder = path.dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
  let description: Promise<unknown> | undefined
  const app = new Hono()
    .get('/openapi.json', async (c) =>
      c.json((await (description ??= describe(described, version))) as object),
    )
    .get('/docs', (c) => c.html(PAGE))
    .get('/docs/start.js', (c) =>
      c.body("SwaggerUIBundle({ url: '../api/openapi.json', dom_id: '#page' })", 200, {
        'Content-Type': 'text/javascript; charset=utf-8',
      }),
    )
  for (const [file, type] of Object.entries(FILES)) {
    app.get(`/docs/${file}`, (c) =>
      c.body(readFileSync(path.join(folder, file)), 200, {
        'Content-Type': type,
        'Cache-Control': 'public, max-age=86400',
      }),
    )
  }
  return app
}

async function describe<E extends Env, S extends Schema, P extends string>(
  described: Hono<E, S, P>,
  version: string,
): Promise<unknown> {
  const specification = await generateSpecs(described, {
    documentation: {
      openapi: '3.1.0',
      info: {
        title: 'Huitou',
        version,
        description:
          'Events in, customers and segments out. Errors are RFC 9457 problem documents with a stable `code`.',
      },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'huitou.session_token' },
          writeKey: { type: 'http', scheme: 'basic', description: 'The write key as user name, no password' },
        },
      },
      security: [{ session: [] }],
    },
    excludeStaticFile: true,
  })
  const components = {
    ...specification.components,
    schemas: { ...specification.components?.schemas, Problem: PROBLEM },
  }
  const problem = {
    description: 'The request was refused, or failed',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
  for (const methods of Object.values(specification.paths ?? {})) {
    for (const operation of Object.values(methods ?? {}) as { responses?: Record<string, unknown> }[]) {
      // The validator describes an answer of its own, which no route gives.
      const { 400: _, ...answers } = operation.responses ?? {}
      operation.responses = { 200: { description: 'Done' }, ...answers, default: problem }
    }
  }
  return { ...specification, components }
}
