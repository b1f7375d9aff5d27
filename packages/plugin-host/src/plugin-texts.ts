import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

type Texts = Record<string, string>

/** Texts of a plugin's `package.nls*.json`, by language, for the code that runs from `entry`. */
export class PluginTexts {
  readonly #folder: string | undefined
  readonly #read = new Map<string, Texts>()

  constructor(entry: string) {
    this.#folder = packageFolder(entry)
  }

  /** The text `key`, with `{name}` filled in; English where the language has none, and the key where nothing has. */
  t(key: string, parameters: Readonly<Record<string, string | number>> = {}, locale: string): string {
    const text = this.#texts(`package.nls.${locale}.json`)[key] ?? this.#texts('package.nls.json')[key] ?? key
    return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
      Object.hasOwn(parameters, name) ? String(parameters[name]) : whole,
    )
  }

  #texts(file: string): Texts {
    const known = this.#read.get(file)
    if (known) return known
    const found: Texts =
      /^[\w.-]+$/.test(file) && this.#folder ? readTexts(path.join(this.#folder, file)) : {}
    this.#read.set(file, found)
    return found
  }
}

function readTexts(file: string): Texts {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Texts) : {}
}

/** The nearest folder above the entry that holds a `package.json`. */
function packageFolder(entry: string): string | undefined {
  if (!entry.startsWith('file:')) return undefined
  for (let folder = path.dirname(fileURLToPath(entry)); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder
    if (path.dirname(folder) === folder) return undefined
  }
}
