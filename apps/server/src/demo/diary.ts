/** A name a customer goes by. */
export interface ExternalId {
  type: string
  id: string
}

/** A message of the Segment protocol, as a shop system would send it. */
export interface DemoMessage {
  messageId: string
  type: 'track' | 'identify'
  timestamp: string
  event?: string
  anonymousId?: string
  properties?: Record<string, unknown>
  traits?: Record<string, unknown>
  context?: { externalIds: ExternalId[] }
}

/** Who an event is about. */
export interface Who {
  anonymousId?: string
  externalIds?: ExternalId[]
}

/** Collects one customer's messages. Message ids come from the order of writing, which the seed alone decides. */
export class Diary {
  readonly #customer: number
  readonly #now: number
  readonly #entries: { time: number; message: DemoMessage }[] = []
  #written = 0

  constructor(customer: number, now: number) {
    this.#customer = customer
    this.#now = now
  }

  track(time: number, who: Who, event: string, properties: Record<string, unknown>): void {
    this.#write(time, who, { type: 'track', event, properties })
  }

  identify(time: number, who: Who, traits: Record<string, unknown>): void {
    this.#write(time, who, { type: 'identify', traits })
  }

  /** What has happened by now, in the order in which it did. */
  messages(): DemoMessage[] {
    return this.#entries.sort((a, b) => a.time - b.time).map(({ message }) => message)
  }

  #write(
    time: number,
    who: Who,
    message: Pick<DemoMessage, 'type' | 'event' | 'properties' | 'traits'>,
  ): void {
    const number = ++this.#written
    if (time > this.#now) return
    this.#entries.push({
      time,
      message: {
        messageId: `demo-${this.#customer}-${number}`,
        timestamp: new Date(time).toISOString(),
        ...(who.anonymousId === undefined ? {} : { anonymousId: who.anonymousId }),
        ...(who.externalIds ? { context: { externalIds: who.externalIds } } : {}),
        ...message,
      },
    })
  }
}
