/**
 * @typedef {'scorer' | 'segmenter' | 'report' | 'channel' | 'collection' | 'webview' | 'declarative'} TemplateName
 */

/**
 * Plugins to start from, the most asked for first.
 *
 * @type {readonly { name: TemplateName, says: string }[]}
 */
export const templates = [
  { name: 'scorer', says: 'a number for every customer, from orders or your own events' },
  { name: 'segmenter', says: 'one label for every customer, each label a segment' },
  { name: 'report', says: 'a report of ready-made blocks' },
  { name: 'channel', says: 'a way to reach customers' },
  { name: 'collection', says: 'records of your own, with a table, a board and a form' },
  { name: 'webview', says: 'a page of your own in the admin app' },
  { name: 'declarative', says: 'events, columns and segments without any code' },
]
