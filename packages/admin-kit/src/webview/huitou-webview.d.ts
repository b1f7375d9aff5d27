/** What a page of a plugin knows of where it is shown. */
export interface WebviewState {
  /** `publisher.name/id` of the view. */
  readonly view: string
  readonly locale: 'en' | 'zh-CN'
  readonly theme: 'light' | 'dark'
  /** Colours and measures as CSS custom properties; they are set on the page already. */
  readonly tokens: Readonly<Record<string, string>>
  /** Customer whose page the view stands on. */
  readonly customerId: number | null
  readonly brand: { readonly currency: string; readonly timeZone: string }
}

export interface WebviewRecord<T = Record<string, unknown>> {
  readonly id: string
  readonly data: T
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

export interface WebviewQuery {
  /** A filter: `{ field, op, value }`, `{ all: […] }`, `{ any: […] }`, `{ not: … }`. */
  filter?: object
  search?: string
  sort?: { field: string; direction?: 'asc' | 'desc' }
  limit?: number
  cursor?: string
}

/** Records of one of the plugin's own collections, with the rights of whoever looks at the page. */
export interface WebviewCollection<T = Record<string, unknown>> {
  find(query?: WebviewQuery): Promise<{ records: WebviewRecord<T>[]; cursor?: string; total?: number }>
  count(query?: Pick<WebviewQuery, 'filter' | 'search'>): Promise<number>
  get(id: string): Promise<WebviewRecord<T>>
  insert(data: T): Promise<WebviewRecord<T>>
  update(id: string, changes: Partial<T>, options?: { version?: number }): Promise<WebviewRecord<T>>
  delete(id: string): Promise<void>
}

/** What a page of a plugin can do. Failures are thrown with the `code` and `hint` of the server. */
export interface WebviewApi {
  readonly state: WebviewState
  /** Language, theme or customer changed. */
  onDidChangeState(listener: (state: WebviewState) => void): { dispose(): void }
  readonly collections: { readonly [id: string]: WebviewCollection }
  collection<T = Record<string, unknown>>(id: string): WebviewCollection<T>
  /**
   * Asks the plugin's own code, which runs in Huitou: one of the `calls` that the view declares in the manifest. Input and answer
   * are checked against what stands there.
   */
  call<T = unknown>(name: string, input?: unknown): Promise<T>
  /** The plugin's own commands: its code runs in Huitou, not in the page. */
  readonly commands: { execute(id: string, input?: Record<string, unknown>): Promise<unknown> }
  /** A short message at the edge of the screen. */
  notify(message: string, kind?: 'info' | 'success' | 'warning' | 'error'): Promise<void>
  /** Goes to a customer, or to a record of the plugin's own. */
  open(target: { customer: number } | { collection: string; record: string }): Promise<void>
}

/** Shakes hands with Huitou; asking again gives the same connection. */
export function connect(): Promise<WebviewApi>
