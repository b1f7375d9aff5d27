import { isBuiltin } from 'node:module'
import type { parse } from 'es-module-lexer'

/** Something in a package that installs, and that its author may not want. */
export interface PackWarning {
  code:
    | 'host-internal'
    | 'sandbox'
    | 'not-in-package'
    | 'unreadable'
    | 'secret'
    | 'scripts'
    | 'bundled'
    | 'keyword'
    | 'readme'
  file: string
  message: string
}

type Files = ReadonlyMap<string, Uint8Array>

/** What every plugin may import without bringing it. */
const PROVIDED = new Set(['@huitou/plugin-api'])

/** Modules of Node that work without files, network, processes and threads; all others are closed to a plugin. */
const OPEN_MODULES = new Set(
  'assert async_hooks buffer console constants crypto diagnostics_channel events path perf_hooks punycode querystring stream string_decoder timers url util zlib'.split(
    ' ',
  ),
)

const insteadOf: Readonly<Record<string, string>> = {
  fs: ', but for reading their own folder',
  http: '; use huitou.fetch',
  https: '; use huitou.fetch',
  net: '; use huitou.fetch',
  sqlite: '; use huitou.storage or a collection',
}

const CODE = /\.(?:[cm]?js|[cm]?ts)$/
const TYPES_ONLY = /\.d\.[cm]?ts$/
const WAYS_AROUND = /\bprocess\s*\.\s*(binding|dlopen|getBuiltinModule|_linkedBinding)\b/
const SECRET_NAMES = /(?:^|\/)(?:\.env(?:\..*)?|.*\.key\.json|.*\.pem|id_(?:rsa|ed25519)|\.netrc)$/
const SECRET_TEXT = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|\/\/[^\s/]+\/:_authToken=/
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall']

/** What an author should know before publishing `files`. */
export async function findPackWarnings(files: Files): Promise<PackWarning[]> {
  // Loaded here: a server that only installs has no use for it.
  const { init, parse } = await import('es-module-lexer')
  await init()
  const code = [...files.keys()].filter((file) => CODE.test(file) && !TYPES_ONLY.test(file))
  return [
    ...code.flatMap((file) => checkCode(file, parse, files)),
    ...[...files.keys()].flatMap((file) => checkSecrets(file, files)),
    ...checkPackageJson(files),
    ...checkReadme(files),
  ]
}

function checkCode(file: string, parseCode: typeof parse, files: Files): PackWarning[] {
  const source = textOf(files, file)
  // What lies in node_modules was written by others; only what it does to the sandbox matters.
  const foreign = file.startsWith('node_modules/')
  const warnings: PackWarning[] = []
  const way = WAYS_AROUND.exec(source)?.[1]
  if (way) warnings.push({ code: 'sandbox', file, message: `process.${way} is closed to plugins` })
  if (foreign) return warnings
  let imports
  try {
    ;[imports] = parseCode(source, file)
  } catch (cause) {
    return [...warnings, { code: 'unreadable', file, message: (cause as Error).message.split('\n')[0]! }]
  }
  const specifiers = new Set(
    imports.flatMap((found) => {
      if (found.type === 'import-meta' || found.specifier === undefined) return []
      return ('typeOnly' in found && found.typeOnly) || ('glob' in found && found.glob)
        ? []
        : [found.specifier]
    }),
  )
  return [...warnings, ...[...specifiers].flatMap((specifier) => checkImport(file, specifier, files))]
}

function checkImport(file: string, specifier: string, files: Files): PackWarning[] {
  if (/^(?:\.{0,2}\/|#|data:)/.test(specifier)) return []
  if (isBuiltin(specifier)) {
    const name = specifier.replace(/^node:/, '').split('/')[0]!
    if (OPEN_MODULES.has(name)) return []
    return [{ code: 'sandbox', file, message: `node:${name} is closed to plugins${insteadOf[name] ?? ''}` }]
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (PROVIDED.has(name)) return []
  if (name === '@huitou/testing') {
    return [{ code: 'host-internal', file, message: `${name} is for tests; leave this file out of "files"` }]
  }
  if (name.startsWith('@huitou/')) {
    return [
      { code: 'host-internal', file, message: `${name} is the inside of Huitou and not there for plugins` },
    ]
  }
  const brought = [...files.keys()].some((path) => path.startsWith(`node_modules/${name}/`))
  if (brought) return []
  return [
    {
      code: 'not-in-package',
      file,
      message: `${name} is not in the package: nothing is installed beside a plugin, so bundle it`,
    },
  ]
}

function checkSecrets(file: string, files: Files): PackWarning[] {
  const bytes = files.get(file)!
  const secret = SECRET_NAMES.test(file) || SECRET_TEXT.test(Buffer.from(bytes).toString('latin1'))
  return secret
    ? [{ code: 'secret', file, message: 'This looks like a secret, and everybody could read it' }]
    : []
}

function checkPackageJson(files: Files): PackWarning[] {
  const file = 'package.json'
  const { scripts, keywords, bundleDependencies, bundledDependencies } = JSON.parse(
    textOf(files, file),
  ) as Record<string, unknown>
  const warnings: PackWarning[] = []
  const unrun = INSTALL_SCRIPTS.filter((name) => Object.hasOwn({ ...(scripts as object) }, name))
  if (unrun.length > 0) {
    warnings.push({ code: 'scripts', file, message: `Huitou never runs scripts.${unrun.join(', scripts.')}` })
  }
  if (!Array.isArray(keywords) || !keywords.includes('huitou-plugin')) {
    warnings.push({
      code: 'keyword',
      file,
      message: 'Without the keyword "huitou-plugin" nobody finds it in a registry',
    })
  }
  const hasModules = [...files.keys()].some((path) => path.startsWith('node_modules/'))
  if ((bundleDependencies ?? bundledDependencies) && !hasModules) {
    warnings.push({
      code: 'bundled',
      file,
      message: 'bundleDependencies are not packed; bundle the code, or pack with npm pack',
    })
  }
  return warnings
}

function checkReadme(files: Files): PackWarning[] {
  const hasOne = [...files.keys()].some((file) => /^readme(?:\.zh-CN)?\.md$/i.test(file))
  return hasOne
    ? []
    : [{ code: 'readme', file: 'README.md', message: 'Without it the page of the plugin is empty' }]
}

function textOf(files: Files, file: string): string {
  return Buffer.from(files.get(file)!).toString('utf8')
}
