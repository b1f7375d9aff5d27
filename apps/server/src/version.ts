import manifest from '../package.json' with { type: 'json' }

/** Version of this Huitou, as its package says. */
export const { version } = manifest
