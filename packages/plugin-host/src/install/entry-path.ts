/** Longest path inside a plugin: with the data folder before it, Windows still opens it. */
const MAX_PATH = 180

/** Names that Windows keeps for devices, whatever extension follows. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f<>:"|?*\\]/

/**
 * Why a file may not have this path in a plugin, in words that end a sentence; undefined for a path that every
 * file system takes and that stays inside its folder.
 */
export function findPathProblem(path: string): string | undefined {
  if (path === '') return 'has no name'
  if (/^(?:[/\\]|[a-z]:)/i.test(path)) return 'is an absolute path'
  if (path.length > MAX_PATH) return `is longer than ${MAX_PATH} characters`
  for (const part of path.split('/')) {
    if (part === '..') return 'leads out of its folder'
    if (part === '' || part === '.') return 'has an empty folder name'
    if (FORBIDDEN.test(part)) return 'has a character that not every file system takes'
    if (/[. ]$/.test(part)) return 'has a name ending in a dot or a space, which Windows drops'
    if (RESERVED.test(part)) return 'has a name that Windows keeps for a device'
  }
  return undefined
}

/** Remembers the paths of one plugin and finds those that fall on one another on some file system. */
export class PathSet {
  /** By folded name: the path as written, and whether it is a file. */
  readonly #taken = new Map<string, { path: string; isFile: boolean }>()

  /** Adds a file. Returns what is wrong with it beside the others, in words that end a sentence. */
  add(path: string): string | undefined {
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join('/')
      const other = this.#taken.get(fold(folder))
      if (other?.isFile) return `lies in "${other.path}", which is a file`
      if (other && other.path !== folder) return `differs from "${other.path}" only in case or accents' form`
      this.#taken.set(fold(folder), { path: folder, isFile: false })
    }
    const other = this.#taken.get(fold(path))
    if (other?.path === path) return other.isFile ? 'is there twice' : 'is a folder as well'
    if (other) return `differs from "${other.path}" only in case or accents' form`
    this.#taken.set(fold(path), { path, isFile: true })
    return undefined
  }
}

/** As the least discerning file system compares names. */
function fold(path: string): string {
  return path.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase()
}
