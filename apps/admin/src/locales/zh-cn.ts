import kit from '@huitou/admin-kit/locales/zh-CN.json'

const areas = import.meta.glob<Record<string, unknown>>('./zh-CN/*.json', { eager: true, import: 'default' })

/** Every text of the app in this language; each file brings the key of its area. */
export const messages: Record<string, unknown> = Object.assign({}, kit, ...Object.values(areas))
