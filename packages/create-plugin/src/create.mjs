import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { templates } from './templates.mjs'

/**
 * @typedef {object} PluginPlan
 * @property {string} folder Where it goes; made if absent, must be empty.
 * @property {string} name Name within the publisher: lower-case letters, digits and hyphens.
 * @property {string} publisher
 * @property {string} title What people read.
 * @property {import('./templates.mjs').TemplateName} template
 * @property {string | undefined} [api] Folder of `@huitou/plugin-api`, for types without a registry.
 */

const own = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const apiRange = '^0.2.0'
/** What a plugin outside a clone of Huitou installs: the versions that this package was published with. */
const tools = ['@huitou/plugin-api', '@huitou/cli']
const idPattern = /^[a-z][a-z0-9-]*$/

/**
 * Writes a plugin into a folder and returns the files written, relative to it. Touches nothing else and needs no
 * network. Throws an error that says what to change when the plan cannot be carried out.
 *
 * @param {PluginPlan} plan
 * @returns {string[]}
 */
export function createPlugin(plan) {
  checkPlan(plan)
  const { folder, template, api = findApi() } = plan
  const tokens = tokensOf(plan)
  const files = new Map([...readTemplate('base'), ...readTemplate(template)])
  const manifest = JSON.parse(files.get('manifest.json') ?? '{}')
  files.delete('manifest.json')
  const packed = packedOf([...files.keys()])
  // Nothing is installed beside a clone: it lends its compiler.
  const compiler = api && toRelative(folder, path.join(api, '../../node_modules/.bin/tsc'))
  files.set('package.json', toJson(packageOf(manifest, { compiler, packed })))
  files.set('tsconfig.json', toJson(tsconfigOf(api && toRelative(folder, api))))
  const installed = './node_modules/@huitou/plugin-api'
  files.set('.vscode/settings.json', toJson(editorSettings(api ? `./${toRelative(folder, api)}` : installed)))
  if (!manifest.main) files.delete('tsconfig.json')
  const written = [...files.keys()].map((file) => replaceTokens(file, tokens)).sort()
  for (const [file, text] of files) {
    const target = path.join(folder, replaceTokens(file, tokens))
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, replaceTokens(text, tokens))
  }
  return written
}

/**
 * Name that fits a folder: `My Plugin` becomes `my-plugin`.
 *
 * @param {string} text
 */
export function toName(text) {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
}

/**
 * What keeps `value` from being a name or a publisher; nothing when all is well.
 *
 * @param {'name' | 'publisher'} what
 * @param {string} value
 */
export function problemWith(what, value) {
  if (idPattern.test(value)) return undefined
  return `"${value}" is no ${what}: use lower-case letters, digits and hyphens, a letter first`
}

/** @param {PluginPlan} plan */
function checkPlan({ folder, name, publisher, template }) {
  const problem = problemWith('name', name) ?? problemWith('publisher', publisher)
  if (problem) throw new Error(problem)
  if (!templates.some((known) => known.name === template)) {
    throw new Error(
      `There is no template "${template}". Choose ${templates.map((known) => known.name).join(', ')}`,
    )
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`${folder} is not empty. Name a new folder`)
  }
}

/**
 * @param {PluginPlan} plan
 * @returns {Record<string, string>}
 */
function tokensOf({ name, publisher, title }) {
  return { name, publisher, title, prefix: name.replaceAll('-', '_') }
}

/**
 * `__name__` and the like become what they stand for.
 *
 * @param {string} text
 * @param {Record<string, string>} tokens
 */
function replaceTokens(text, tokens) {
  return text.replaceAll(/__(name|publisher|title|prefix)__/g, (whole, key) => tokens[key] ?? whole)
}

/** @param {string} name */
function readTemplate(name) {
  const root = path.join(own, 'templates', name)
  /** @type {Map<string, string>} */
  const files = new Map()
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    // npm leaves a .gitignore out of packages, so it carries another name in here.
    const place = path
      .relative(root, file)
      .replaceAll('\\', '/')
      .replace(/(^|\/)_gitignore$/, '$1.gitignore')
    files.set(place, readFileSync(file, 'utf8'))
  }
  return files
}

/**
 * What goes into the archive; npm adds package.json and the readmes.
 *
 * @param {string[]} files
 */
function packedOf(files) {
  const tops = new Set(files.map((file) => file.split('/')[0] ?? file))
  return ['src', 'ui', 'package.nls.json', 'package.nls.zh-CN.json', 'CHANGELOG.md'].filter((top) =>
    tops.has(top),
  )
}

/**
 * @param {Record<string, unknown>} manifest
 * @param {{ compiler: string | undefined, packed: string[] }} options compiler: that of a clone of Huitou
 */
function packageOf(manifest, { compiler, packed }) {
  const { main, ...rest } = manifest
  return {
    name: '__name__',
    version: '0.1.0',
    description: '%description%',
    keywords: ['huitou-plugin'],
    license: 'UNLICENSED',
    type: 'module',
    publisher: '__publisher__',
    displayName: '%displayName%',
    engines: { huitou: apiRange },
    ...(main ? { main } : {}),
    files: packed,
    scripts: {
      // Outside a clone there is no shop to develop in.
      ...(compiler ? { dev: 'huitou plugin dev' } : {}),
      test: 'huitou plugin test',
      pack: 'huitou plugin pack',
      ...(main ? { types: compiler ? JSON.stringify(compiler) : 'tsc' } : {}),
    },
    ...rest,
    ...(compiler
      ? {}
      : { devDependencies: { ...toolVersions(), ...(main ? { typescript: '^6.0.0' } : {}) } }),
  }
}

function toolVersions() {
  const { devDependencies } = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8'))
  return Object.fromEntries(tools.map((name) => [name, `^${devDependencies[name]}`]))
}

/** @param {string | undefined} api */
function tsconfigOf(api) {
  return {
    compilerOptions: {
      target: 'esnext',
      module: 'nodenext',
      lib: ['esnext', 'dom'],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
      ...(api ? { paths: { '@huitou/plugin-api': [`${api}/src/index.ts`] } } : {}),
    },
    include: ['src'],
  }
}

/** @param {string} api */
function editorSettings(api) {
  return { 'json.schemas': [{ fileMatch: ['/package.json'], url: `${api}/manifest.schema.json` }] }
}

/** The plugin API beside this package, in a clone of Huitou. */
export function findApi() {
  const beside = path.join(path.dirname(own), 'plugin-api')
  return existsSync(path.join(beside, 'manifest.schema.json')) ? beside : undefined
}

/**
 * @param {string} from
 * @param {string} to
 */
function toRelative(from, to) {
  return path.relative(path.resolve(from), path.resolve(to)).replaceAll('\\', '/')
}

/** @param {unknown} value */
function toJson(value) {
  return `${JSON.stringify(value, null, 2)}\n`
}
