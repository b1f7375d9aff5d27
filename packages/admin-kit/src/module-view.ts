import type { Component } from 'vue'

/** What the component of a `module` view is given. */
export interface ModuleViewProps {
  /** `publisher.name/id` of the view. */
  view: string
  /** Customer whose page, or task, it stands beside; null on a page of its own. */
  customerId: number | null
}

/** What the script of a `module` view exports. */
export interface ModuleView {
  default: Component<ModuleViewProps>
  /** Style sheets beside the script, for instance `./page.css`; in the page for as long as the view is. */
  stylesheets?: readonly string[]
}
