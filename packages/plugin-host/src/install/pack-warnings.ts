import { isBuiltin } from 'node:module'
import path from 'node:path'
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
    | 'tests'
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
const TESTS = /(?:^|\/)(?:tests?|__tests__)\/|\.(?:test|spec)\.[cm]?[jt]s$/
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
  return [
    ...checkCode(files, parse),
    ...[...files.keys()].flatMap((file) => checkSecrets(file, files)),
    ...checkPackageJson(files),
    ...checkTests(files),
    ...checkReadme(files),
  ]
}

/** Looks at the code that can run: the entry, and what it leads to. */
function checkCode(files: Files, parseCode: typeof parse): PackWarning[] {
  const { main } = readPackageJson(files)
  if (typeof main !== 'string') return []
  const all = [...files.keys()].filter((file) => CODE.test(file) && !TYPES_ONLY.test(file))
  const queue = [path.posix.normalize(main)]
  const seen = new Set<string>()
  const warnings: PackWarning[] = []
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    if (seen.has(file) || !files.has(file) || !CODE.test(file)) continue
    seen.add(file)
    const found = readImports(file, textOf(files, file), parseCode)
    warnings.push(...found.warnings)
    for (const specifier of found.specifiers) {
      if (!specifier.startsWith('.')) {
        const problem = checkImport(file, specifier, files)
        if (problem) warnings.push(problem)
        // What others wrote is not followed file by file; what it does to the sandbox is looked for in all of it.
        else if (!isBuiltin(specifier)) queue.push(...all.filter((each) => each.startsWith('node_modules/')))
        continue
      }
      const target = path.posix.join(path.posix.dirname(file), specifier)
      if (files.has(target)) queue.push(target)
      else warnings.push({ code: 'not-in-package', file, message: `${specifier} is not in the package` })
    }
    // It loads what it names while it runs: that may be any file.
    if (found.isOpen) queue.push(...all.filter((each) => !TESTS.test(each)))
  }
  return warnings
}

interface FoundImports {
  specifiers: string[]
  isOpen: boolean
  warnings: PackWarning[]
}

function readImports(file: string, source: string, parseCode: typeof parse): FoundImports {
  const found: FoundImports = { specifiers: [], isOpen: false, warnings: [] }
  const way = WAYS_AROUND.exec(source)?.[1]
  if (way) found.warnings.push({ code: 'sandbox', file, message: `process.${way} is closed to plugins` })
  if (file.startsWith('node_modules/')) return found
  try {
    const [imports] = parseCode(source, file)
    for (const each of imports) {
      if (each.type === 'import-meta' || ('typeOnly' in each && each.typeOnly)) continue
      if (each.specifier === undefined || ('glob' in each && each.glob) || each.specifier.startsWith('#')) {
        found.isOpen = true
      } else if (!each.specifier.startsWith('data:')) found.specifiers.push(each.specifier)
    }
    found.specifiers = [...new Set(found.specifiers)]
  } catch (cause) {
    const [message = ''] = (cause as Error).message.split('\n')
    found.warnings.push({ code: 'unreadable', file, message })
  }
  return found
}

function checkImport(file: string, specifier: string, files: Files): PackWarning | undefined {
  if (isBuiltin(specifier)) {
    const name = specifier.replace(/^node:/, '').split('/')[0]!
    if (OPEN_MODULES.has(name)) return undefined
    return { code: 'sandbox', file, message: `node:${name} is closed to plugins${insteadOf[name] ?? ''}` }
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (PROVIDED.has(name)) return undefined
  if (name.startsWith('@huitou/')) {
    return {
      code: 'host-internal',
      file,
      message: `${name} is the inside of Huitou and not there for plugins`,
    }
  }
  if ([...files.keys()].some((each) => each.startsWith(`node_modules/${name}/`))) return undefined
  return {
    code: 'not-in-package',
    file,
    message: `${name} is not in the package: nothing is installed beside a plugin, so bundle it`,
  }
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
  const { scripts, keywords, bundleDependencies, bundledDependencies } = readPackageJson(files)
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

function checkTests(files: Files): PackWarning[] {
  const tests = [...files.keys()].filter((file) => CODE.test(file) && TESTS.test(file))
  if (tests.length === 0) return []
  const message = `Tests are in the package (${tests.length}): name what belongs there under "files" in package.json`
  return [{ code: 'tests', file: tests[0]!, message }]
}

function checkReadme(files: Files): PackWarning[] {
  const hasOne = [...files.keys()].some((file) => /^readme(?:\.zh-CN)?\.md$/i.test(file))
  return hasOne
    ? []
    : [{ code: 'readme', file: 'README.md', message: 'Without it the page of the plugin is empty' }]
}

function readPackageJson(files: Files): Record<string, unknown> {
  return JSON.parse(textOf(files, 'package.json')) as Record<string, unknown>
}

function textOf(files: Files, file: string): string {
  return Buffer.from(files.get(file)!).toString('utf8')
}
