/**
 * Words in the name of a property or trait whose value is somebody's phone, address or document. Names and birthdays
 * are not among them: the one is what people call a customer by, by the other the database finds who has birthday.
 */
const NAMES = /phone|mobile|e-?mail|address|id_?card|passport/i
/** Further names, which hold such a value only when they stand alone. */
const WHOLE_NAMES = new Set(['tel', 'receiver', 'receiver_name'])

/** A mobile number or an e-mail address, alone or within a longer text. */
const CONTACT = /(?<![\d.])(?:\+?86-?)?1[3-9]\d{9}(?!\d)|(?:^|[^\d])\+[1-9]\d{7,14}(?!\d)|[^\s@"\\]@[^\s@"\\]/

/**
 * What is sealed wherever it stands: phone numbers and e-mail addresses by how they look, and whatever a property or
 * trait with a telling name holds.
 */
export class PersonalText {
  /** Names that plugins declared as personal. */
  #declared: ReadonlySet<string> = new Set()
  #quick = quickTest([])

  /** Further names of properties that hold personal data; the last step of a path counts. */
  declare(paths: Iterable<string>): void {
    const names = [...paths]
      .map((path) => path.slice(path.lastIndexOf('.') + 1))
      .filter((name) => !isReadable(name))
    this.#declared = new Set(names)
    this.#quick = quickTest(names)
  }

  /** Whether JSON may hold something personal; never false when it does. */
  mayHold(json: string): boolean {
    return this.#quick.test(json)
  }

  isPersonalName(name: string): boolean {
    return NAMES.test(name) || WHOLE_NAMES.has(name) || this.#declared.has(name)
  }

  /** Whether the text holds a phone number or an e-mail address. */
  holdsContact(text: string): boolean {
    return CONTACT.test(text)
  }

  /** Whether a number under that name is a phone number rather than a count. */
  isPersonalNumber(name: string, value: number): boolean {
    return Math.abs(value) >= 1_000_000 && this.isPersonalName(name)
  }
}

/** Whether values under the name stay readable in the database although they are personal. */
function isReadable(name: string): boolean {
  return /name$|birth/i.test(name)
}

/** Whether the values of a profile's column or a record's field are sealed in the database. */
export function isSealedColumn({
  pii,
  type,
  logical,
}: {
  pii: boolean
  type: string
  logical: string
}): boolean {
  return pii && (type === 'text' || type === 'label') && !isReadable(logical)
}

function quickTest(declared: readonly string[]): RegExp {
  const names = [...WHOLE_NAMES, ...declared].map((name) => `"${RegExp.escape(name)}"`)
  return new RegExp(`${NAMES.source}|@|\\+[1-9]\\d{7}|1[3-9]\\d{9}|~e1|${names.join('|')}`, 'i')
}
