/** A word of a command, or a list in parentheses. */
export type ImapValue = string | ImapValue[]

export interface ImapCommand {
  tag: string
  name: string
  values: ImapValue[]
}

/** The command in a line whose literals have been put in place of their lengths; undefined for what is none. */
export function parseImapCommand(line: string, literals: readonly string[]): ImapCommand | undefined {
  const [, tag, rest] = /^([^\s(){%*"\\+]+) (.+)$/s.exec(line) ?? []
  if (!tag || !rest) return undefined
  const reader = new Reader(rest, [...literals])
  const values = reader.list()
  const [first, second] = values
  if (!reader.isDone || typeof first !== 'string') return undefined
  if (first.toUpperCase() !== 'UID') return { tag, name: first.toUpperCase(), values: values.slice(1) }
  if (typeof second !== 'string') return undefined
  return { tag, name: `UID ${second.toUpperCase()}`, values: values.slice(2) }
}

class Reader {
  readonly #text: string
  readonly #literals: string[]
  #at = 0

  constructor(text: string, literals: string[]) {
    this.#text = text
    this.#literals = literals
  }

  get isDone(): boolean {
    return this.#at === this.#text.length
  }

  list(): ImapValue[] {
    const values: ImapValue[] = []
    while (!this.isDone && this.#text[this.#at] !== ')') {
      const value = this.#value()
      if (value === undefined) break
      values.push(value)
      if (this.#text[this.#at] === ' ') this.#at++
    }
    return values
  }

  #value(): ImapValue | undefined {
    if (this.#text[this.#at] === '(') {
      this.#at++
      const values = this.list()
      if (this.#text[this.#at] !== ')') return undefined
      this.#at++
      return values
    }
    return this.#match(/"((?:[^"\\\r\n]|\\["\\])*)"/y)?.replaceAll(/\\(["\\])/g, '$1') ?? this.#atom()
  }

  #atom(): string | undefined {
    if (this.#match(/(\{literal\})/y) !== undefined) return this.#literals.shift()
    return this.#match(/([A-Za-z0-9.]*\[[^\]\r\n]*\](?:<\d+(?:\.\d+)?>)?|[^\s(){"\r\n]+)/y)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (!found) return undefined
    this.#at = pattern.lastIndex
    return found[1]
  }
}

/** Whether `uid` is in a set such as `3,5:9,12:*`; `*` is the last there is. */
export function isInSet(set: string, uid: number, last: number): boolean {
  const numberOf = (text: string) => (text === '*' ? last : Number(text))
  return set.split(',').some((part) => {
    const [from, to = from] = part.split(':').map(numberOf) as [number, number?]
    return uid >= Math.min(from, to!) && uid <= Math.max(from, to!)
  })
}
