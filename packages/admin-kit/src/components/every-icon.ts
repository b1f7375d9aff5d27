/** All of Lucide's, apart from the rest of the app: only icons that plugins name are looked for here. */
export { icons } from '@lucide/vue'
