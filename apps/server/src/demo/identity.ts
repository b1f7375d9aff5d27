import type { Diary, ExternalId, Who } from './diary.ts'
import type { Person } from './people.ts'
import { Choice, type Random } from './random.ts'

export type Platform = 'tmall' | 'douyin' | 'mini-program' | 'youzan'

const SHARES: Record<Platform, number> = { tmall: 44, douyin: 24, 'mini-program': 20, youzan: 12 }
const platforms = new Choice<Platform>(Object.keys(SHARES) as Platform[], (platform) => SHARES[platform])

export function pickPlatform(random: Random): Platform {
  return platforms.pick(random)
}

/**
 * The names one customer goes by, platform by platform. Each platform knows its own id only; what makes them one
 * customer is a phone that somebody leaves at two of them, sometimes weeks later.
 */
export class Names {
  readonly #random: Random
  readonly #diary: Diary
  readonly #person: Person
  readonly #end: number
  readonly #ids = new Map<string, ExternalId>()
  readonly #withPhone = new Set<string>()

  constructor({ random, diary, person, end }: { random: Random; diary: Diary; person: Person; end: number }) {
    this.#random = random
    this.#diary = diary
    this.#person = person
    this.#end = end
  }

  /** How a platform's events name the customer; known from the first event on. */
  on(platform: Platform | 'wecom'): Who {
    let id = this.#ids.get(platform)
    if (!id) this.#ids.set(platform, (id = this.#makeId(platform)))
    return { externalIds: [id] }
  }

  knows(platform: Platform | 'wecom'): boolean {
    return this.#ids.has(platform)
  }

  /** First contact on a platform: what its order form asks for. `anonymousId` is the visitor that it was until then. */
  register(
    time: number,
    platform: Platform,
    { withPhone = false, anonymousId }: { withPhone?: boolean; anonymousId?: string } = {},
  ): void {
    const { name, province, city, phone } = this.#person
    this.#diary.identify(
      time,
      { anonymousId, ...this.on(platform) },
      { name, province, city, ...(withPhone ? { phone } : {}) },
    )
    if (withPhone) this.#withPhone.add(platform)
  }

  /**
   * The customer leaves the phone on every platform so far: from now on all of them are known to be one. Happens
   * by the end at the latest, so that the shop ends with as many customers as people.
   */
  link(time: number): void {
    for (const platform of this.#ids.keys()) {
      if (this.#withPhone.has(platform)) continue
      this.#withPhone.add(platform)
      this.#diary.identify(Math.min(time, this.#end), this.on(platform as Platform), {
        phone: this.#person.phone,
      })
    }
  }

  #makeId(platform: Platform | 'wecom'): ExternalId {
    const random = this.#random
    switch (platform) {
      case 'tmall':
        return { type: 'buyer_id:tmall', id: `tb${random.digits(10)}` }
      case 'douyin':
        return { type: 'buyer_id:douyin', id: `dy${random.letters(14)}` }
      case 'youzan':
        return { type: 'buyer_id:youzan', id: `yz${random.digits(12)}` }
      case 'mini-program':
        return { type: 'union_id', id: `oX9f${random.letters(24)}` }
      case 'wecom':
        return { type: 'external_userid', id: `wmA7${random.letters(28)}` }
    }
  }
}
