import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { secureHeaders } from 'hono/secure-headers'

/** Folder with the built admin app. */
export function adminFolder(): string {
  return path.join(path.dirname(fileURLToPath(import.meta.resolve('@huitou/admin/package.json'))), 'dist')
}

/** Headers that keep other pages and foreign scripts out; of what stands in a page itself only `inline` may run. */
export function safeHeaders(inline: readonly string[] = []) {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", ...inline.map(hashSource)],
      // Naive UI puts its styles into the page while it runs.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      frameAncestors: ["'self'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
    },
    permissionsPolicy: {
      camera: [],
      geolocation: [],
      microphone: [],
      payment: [],
      usb: [],
    },
    // Set for those who came over TLS, where requests come in.
    strictTransportSecurity: false,
  })
}

/** The admin app: files by name, and its page for every other address, which its router reads. */
export function adminRoutes(folder = adminFolder()) {
  const page = path.join(folder, 'index.html')
  const app = new Hono().use(compress())
  if (!existsSync(page)) {
    return app.get('*', (c) => c.text('The admin app is not built. Run npm start, or npm run build.', 503))
  }
  const html = readFileSync(page, 'utf8')
  // Where modules that the page shares with plugins' components are; a map has to stand in the page.
  const [, map] = /<script type="importmap">([^<]*)<\/script>/.exec(html) ?? []
  return app
    .use(safeHeaders(map === undefined ? [] : [map]))
    .use(
      '/assets/*',
      serveStatic({
        root: folder,
        onFound: (_path, c) => c.header('Cache-Control', 'public, max-age=31536000, immutable'),
      }),
    )
    .get('/assets/*', (c) => c.text('Not found', 404))
    .use('*', serveStatic({ root: folder, index: 'none' }))
    .get('*', (c) => {
      c.header('Cache-Control', 'no-cache')
      return c.html(html)
    })
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
