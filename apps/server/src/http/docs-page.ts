import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Env, Hono, type Schema } from 'hono'
import { openAPIRouteHandler } from 'hono-openapi'

const FILES: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
}

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Huitou API</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="page"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body></html>`

/** The API's description at `/openapi.json`, and a page to read it at `/docs`, without anything from elsewhere. */
export function docsRoutes<E extends Env, S extends Schema, P extends string>(described: Hono<E, S, P>, version: string) {
  const folder = path.dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
  const app = new Hono()
    .get(
      '/openapi.json',
      openAPIRouteHandler(described, {
        documentation: {
          openapi: '3.1.0',
          info: { title: 'Huitou', version, description: 'Events in, customers and segments out. Errors are RFC 9457 problem documents with a stable `code`.' },
          components: {
            securitySchemes: {
              session: { type: 'apiKey', in: 'cookie', name: 'huitou.session_token' },
              writeKey: { type: 'http', scheme: 'basic', description: 'The write key as user name, no password' },
            },
          },
          security: [{ session: [] }],
        },
        excludeStaticFile: true,
      }),
    )
    .get('/docs', (c) => c.html(PAGE))
    .get('/docs/start.js', (c) =>
      c.body("SwaggerUIBundle({ url: '../api/openapi.json', dom_id: '#page' })", 200, { 'Content-Type': 'text/javascript; charset=utf-8' }),
    )
  for (const [file, type] of Object.entries(FILES)) {
    app.get(`/docs/${file}`, (c) => c.body(readFileSync(path.join(folder, file)), 200, { 'Content-Type': type, 'Cache-Control': 'public, max-age=86400' }))
  }
  return app
}
