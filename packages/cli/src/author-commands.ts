/** Commands that need a plugin's folder and nothing else, one file a command, loaded when it is called. */
export const authorCommands = {
  create: () => import('./create.ts').then((module) => module.createCommand),
  test: () => import('./test-plugin.ts').then((module) => module.pluginTestCommand),
  pack: () => import('./pack.ts').then((module) => module.packCommand),
  keygen: () => import('./keygen.ts').then((module) => module.keygenCommand),
  sign: () => import('./sign.ts').then((module) => module.signCommand),
  verify: () => import('./verify.ts').then((module) => module.verifyCommand),
  index: () => import('./write-index.ts').then((module) => module.indexCommand),
}
