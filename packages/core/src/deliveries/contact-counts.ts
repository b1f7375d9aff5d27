/** How a customer answers on a channel, before anything was sent there. */
export const NO_CONTACT = { sent: 0, opened: 0, clicked: 0, replied: 0, complained: 0, unopened: 0 }

/** Columns of `contact_channels` that every row is written with. */
export const CONTACT_COLUMNS = {
  customer_id: 'integer',
  channel: 'text',
  sent: 'integer',
  opened: 'integer',
  clicked: 'integer',
  replied: 'integer',
  complained: 'integer',
  unopened: 'integer',
} as const
