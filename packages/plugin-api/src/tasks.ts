/** Work that a plugin gives to people. */
export interface TaskRequest {
  /** Creating the same key twice creates one task. */
  key: string
  /** What people read in the list; may hold `{{customer.t_name}}` and values of `data`. */
  title: string
  /** What sort of work it is, for instance `call`; `task` if absent. */
  kind?: string
  /** Queue that it goes into; one that nobody has set up is made. */
  queue?: string
  /** User id of the one who is meant to do it; somebody of the queue if absent. */
  assignee?: string
  customerId?: number
  /** Business minutes until it has to be done; a working day if neither this nor `dueAt` is there. */
  dueMinutes?: number
  /** Or the moment itself, epoch milliseconds. */
  dueAt?: number
  /** What to say to the customer, with variables. */
  script?: string
  /** Ways it may end; one called `done` if absent. */
  outcomes?: { id: string; title?: string | { en: string; 'zh-CN': string } }[]
  /** Further variables for title and script. No personal data: it is kept with the task. */
  data?: Record<string, unknown>
}

/** A task that was made, or was there under its key. */
export interface TaskReceipt {
  id: number
  created: boolean
}
