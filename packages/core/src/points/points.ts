import {
  type Action,
  type ActionContribution,
  AppError,
  type Channel,
  type ChannelContribution,
  type CollectionContribution,
  type CollectionHooks,
  type CommandContribution,
  type CommandHandler,
  type Condition,
  type ConditionContribution,
  type Eraser,
  type EraserContribution,
  type EventTypeContribution,
  type FeatureContribution,
  type Gate,
  type GateContribution,
  type JourneyContribution,
  type KeybindingContribution,
  type MenuContribution,
  type Permissions,
  type Report,
  type ReportContribution,
  type RunContext,
  type Scorer,
  type ScorerContribution,
  type Segmenter,
  type SegmenterContribution,
  type Source,
  type SourceContribution,
  type TemplateContribution,
  type ViewContribution,
  type ViewsContainerContribution,
} from '@huitou/plugin-api'

/** A text in every language of the product. */
export interface Text {
  en: string
  'zh-CN': string
}

/** What was added to a point, and by whom. */
export interface Contribution<T> {
  readonly owner: PointOwner
  /** Unique within the point: `<plugin name>.<id>`, or the event name. */
  readonly id: string
  readonly value: T
}

export interface PointOwner {
  /** `huitou.rfm`. */
  readonly plugin: string
  /** What people call it. */
  readonly title?: Text
  /** Prefix of its columns: `rfm`. */
  readonly prefix: string
  /** What it is granted at this moment; absent for one that may read everything. */
  readonly permissions?: () => Permissions
  /** Gives a text of the manifest in both languages; what is in both already stays as it is. */
  text(text: string | Text): Text
}

/** What people call the plugins that have added something, by their ids. */
export function ownerTitles(points: Points): Record<string, Text> {
  const owners = Object.values(points as unknown as Record<string, ExtensionPoint<unknown>>).flatMap(
    (point) => point.list().map(({ owner }) => owner),
  )
  return Object.fromEntries(owners.flatMap(({ plugin, title }) => (title ? [[plugin, title]] : [])))
}

/** One extension point: a list that plugins add to and that the core reads. */
export class ExtensionPoint<T> {
  readonly name: string
  readonly #entries = new Map<string, Contribution<T>>()
  readonly #listeners = new Set<() => void>()

  constructor(name: string) {
    this.name = name
  }

  /** Adds `value` under `id`. Returns the function that takes it out again. */
  add(owner: PointOwner, id: string, value: T): () => void {
    const taken = this.#entries.get(id)
    if (taken) {
      throw new AppError(
        'bug',
        'E_DUPLICATE_CONTRIBUTION',
        `Plugin "${owner.plugin}" adds ${this.name} "${id}", but plugin "${taken.owner.plugin}" already did`,
        {
          hint: `Disable one of them in Extensions, or rename the id in "${owner.plugin}".`,
        },
      )
    }
    const entry = { owner, id, value }
    this.#entries.set(id, entry)
    this.#changed()
    return () => {
      if (this.#entries.get(id) !== entry) return
      this.#entries.delete(id)
      this.#changed()
    }
  }

  find(id: string): Contribution<T> | undefined {
    return this.#entries.get(id)
  }

  list(): Contribution<T>[] {
    return [...this.#entries.values()]
  }

  /** Called after every addition and removal. */
  onDidChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** A declaration together with the code that implements it, wherever that runs. */
export type Implemented<Declaration, Implementation> = Declaration & { run: Implementation }

/** Asks the code behind a view one of its declared `calls`. */
export type CallView = (name: string, input: unknown, context: RunContext) => Promise<unknown>

/** The places where plugins extend the core. Each is read by the stage named behind it. */
export interface Points {
  /** profiles: how events are read. Ids are canonical event names. */
  readonly eventTypes: ExtensionPoint<EventTypeContribution>
  /** profiles: columns folded from events. */
  readonly features: ExtensionPoint<FeatureContribution>
  /** imports and webhooks. */
  readonly sources: ExtensionPoint<Implemented<SourceContribution, Required<Source>>>
  /** scores. */
  readonly scorers: ExtensionPoint<Implemented<ScorerContribution, Scorer['score']> & Pick<Scorer, 'fit'>>
  readonly segmenters: ExtensionPoint<Implemented<SegmenterContribution, Segmenter['assign']>>
  /** reports. */
  readonly reports: ExtensionPoint<Implemented<ReportContribution, Report['run']>>
  /** collections. From here on ids are full ones: `publisher.name/id`. */
  readonly collections: ExtensionPoint<Implemented<CollectionContribution, CollectionHooks>>
  /** deliveries: ways to reach a customer. */
  readonly channels: ExtensionPoint<Implemented<ChannelContribution, Channel>>
  /** deliveries: checks before a message goes out. */
  readonly gates: ExtensionPoint<Implemented<GateContribution, Gate['allow']>>
  /** journeys: steps that do something. */
  readonly actions: ExtensionPoint<Implemented<ActionContribution, Action['run']>>
  /** journeys: questions about customers. */
  readonly conditions: ExtensionPoint<Implemented<ConditionContribution, Condition['test']>>
  /** rights: what plugins keep of customers elsewhere. */
  readonly erasers: ExtensionPoint<Implemented<EraserContribution, Eraser['erase']>>
  /** journeys: templates to start from. */
  readonly journeys: ExtensionPoint<JourneyContribution>
  /** content: messages to start from. */
  readonly templates: ExtensionPoint<TemplateContribution>
  /** What the admin app draws. */
  readonly views: ExtensionPoint<ViewContribution & { call?: CallView }>
  readonly viewsContainers: ExtensionPoint<ViewsContainerContribution>
  readonly commands: ExtensionPoint<Implemented<CommandContribution, CommandHandler['run']>>
  readonly menus: ExtensionPoint<MenuContribution>
  readonly keybindings: ExtensionPoint<KeybindingContribution>
}

export function createPoints(): Points {
  return {
    eventTypes: new ExtensionPoint('events'),
    features: new ExtensionPoint('features'),
    sources: new ExtensionPoint('sources'),
    scorers: new ExtensionPoint('scorers'),
    segmenters: new ExtensionPoint('segmenters'),
    reports: new ExtensionPoint('reports'),
    collections: new ExtensionPoint('collections'),
    channels: new ExtensionPoint('channels'),
    gates: new ExtensionPoint('gates'),
    actions: new ExtensionPoint('actions'),
    conditions: new ExtensionPoint('conditions'),
    erasers: new ExtensionPoint('erasers'),
    journeys: new ExtensionPoint('journeys'),
    templates: new ExtensionPoint('templates'),
    views: new ExtensionPoint('views'),
    viewsContainers: new ExtensionPoint('viewsContainers'),
    commands: new ExtensionPoint('commands'),
    menus: new ExtensionPoint('menus'),
    keybindings: new ExtensionPoint('keybindings'),
  }
}
