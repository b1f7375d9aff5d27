/** What a `when` may ask about: `role`, `locale`, `place`, `collection` … */
export type WhenContext = Readonly<Record<string, string | number | boolean | null | undefined>>

type Token = { kind: 'word' | 'text' | 'sign'; text: string }

const TOKENS = /\s*(?:(&&|\|\||==|!=|!|\(|\))|'([^']*)'|"([^"]*)"|([\w.:-]+))/y

/**
 * Whether a `when` of a manifest holds: names, `==` and `!=` with a word or a quoted text, `!`, `&&`, `||` and
 * parentheses. One that cannot be read does not hold: what it guards stays hidden rather than shown to everybody.
 */
export function holds(when: string | null | undefined, context: WhenContext): boolean {
  if (!when) return true
  try {
    const reader = new Reader(tokensOf(when))
    const answer = reader.either(context)
    return reader.isAtEnd && answer
  } catch {
    return false
  }
}

class Reader {
  readonly #tokens: Token[]
  #at = 0

  constructor(tokens: Token[]) {
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  either(context: WhenContext): boolean {
    let answer = this.#both(context)
    // Both sides are read whatever the first says, or the place would be lost.
    while (this.#takes('||')) answer = [this.#both(context), answer].some(Boolean)
    return answer
  }

  #both(context: WhenContext): boolean {
    let answer = this.#not(context)
    while (this.#takes('&&')) answer = [this.#not(context), answer].every(Boolean)
    return answer
  }

  #not(context: WhenContext): boolean {
    if (this.#takes('!')) return !this.#not(context)
    if (this.#takes('(')) {
      const answer = this.either(context)
      if (!this.#takes(')')) throw new SyntaxError('A parenthesis stays open')
      return answer
    }
    return this.#comparison(context)
  }

  #comparison(context: WhenContext): boolean {
    const name = this.#next('word')
    const value =
      name === 'true'
        ? true
        : name === 'false'
          ? false
          : Object.hasOwn(context, name)
            ? context[name]
            : undefined
    if (this.#takes('==')) return String(value ?? '') === this.#next()
    if (this.#takes('!=')) return String(value ?? '') !== this.#next()
    return Boolean(value)
  }

  #takes(sign: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' || token.text !== sign) return false
    this.#at++
    return true
  }

  #next(kind?: Token['kind']): string {
    const token = this.#tokens[this.#at++]
    if (!token || token.kind === 'sign' || (kind && token.kind !== kind))
      throw new SyntaxError('A word is missing')
    return token.text
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKENS.lastIndex = 0
  while (TOKENS.lastIndex < text.trimEnd().length) {
    const match = TOKENS.exec(text)
    if (!match) throw new SyntaxError(`Cannot read ${text}`)
    const [, sign, single, double, word] = match
    if (sign) tokens.push({ kind: 'sign', text: sign })
    else if (word) tokens.push({ kind: 'word', text: word })
    else tokens.push({ kind: 'text', text: single ?? double ?? '' })
  }
  return tokens
}
