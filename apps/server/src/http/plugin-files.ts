import { createReadStream } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { PluginHost } from '@huitou/plugin-host'
import { Hono } from 'hono'

/** What pages are made of; nothing else of a plugin's folder is handed out. */
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.wasm': 'application/wasm',
}

/**
 * A page of a plugin has an origin of its own that nothing else has, runs its own files only, and reaches no server:
 * all it can do goes through the messages of its frame.
 */
const PAGE_POLICY = [
  'sandbox allow-scripts',
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'none'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ')

/**
 * Files of plugins' pages, and their icons, at `/plugin-files/<plugin>/<version>/<path>`, and the script that pages
 * talk to Huitou with at `/plugin-files/huitou-webview.js`. A page without an origin sends no cookie, so the files are
 * for anyone who knows the address: they are what the plugin's author published.
 */
export function pluginFileRoutes(host: Pick<PluginHost, 'list'>) {
  const client = fileURLToPath(import.meta.resolve('@huitou/admin-kit/webview/huitou-webview.js'))
  return new Hono()
    .use('/plugin-files/*', async (c, next) => {
      await next()
      c.header('Content-Security-Policy', PAGE_POLICY)
      c.header('X-Content-Type-Options', 'nosniff')
      c.header('Referrer-Policy', 'no-referrer')
      // Module scripts of a page without an origin are asked for as if from elsewhere.
      c.header('Access-Control-Allow-Origin', '*')
      c.header('Cross-Origin-Resource-Policy', 'cross-origin')
    })
    .get('/plugin-files/huitou-webview.js', async (c) =>
      c.body(await readFile(client), 200, {
        'Content-Type': TYPES['.js'] ?? '',
        'Cache-Control': 'no-cache',
      }),
    )
    .get('/plugin-files/:plugin/:version/:path{.+}', async (c) => {
      const { plugin, version, path: asked } = c.req.param()
      const file = await findFile(host, { plugin, version, asked })
      if (!file) return c.text('Not found', 404)
      return c.body(Readable.toWeb(createReadStream(file.path)) as ReadableStream, 200, {
        'Content-Type': file.type,
        'Content-Length': String(file.size),
        // While somebody writes a plugin its files change under one version.
        'Cache-Control': 'no-cache',
      })
    })
}

async function findFile(
  host: Pick<PluginHost, 'list'>,
  { plugin, version, asked }: { plugin: string; version: string; asked: string },
): Promise<{ path: string; type: string; size: number } | undefined> {
  const found = host.list().find(({ id }) => id === plugin)
  const type = TYPES[path.extname(asked).toLowerCase()]
  if (!found || found.manifest.version !== version || !type) return undefined
  const { icon, contributes } = found.manifest
  // It stands beside what may be enabled as well.
  const isIcon = icon !== undefined && path.join(icon) === path.join(asked) && type.startsWith('image/')
  if (found.state === 'disabled' && !isIcon) return undefined
  const pages = (contributes?.views ?? []).flatMap(({ entry }) => (entry ? [path.dirname(entry)] : []))
  const folders = isIcon ? ['.'] : pages
  try {
    const file = await realpath(path.join(found.dir, asked))
    const roots = await Promise.all(folders.map((folder) => realpath(path.join(found.dir, folder))))
    // Folders of pages only, and the icon, wherever links lead.
    if (!roots.some((root) => file.startsWith(root + path.sep))) return undefined
    const facts = await stat(file)
    return facts.isFile() ? { path: file, type, size: facts.size } : undefined
  } catch {
    return undefined
  }
}
