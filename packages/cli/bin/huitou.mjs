#!/usr/bin/env node
// Runs on any Node, to say which one is needed.
const [major] = process.versions.node.split('.')
if (Number(major) >= 26) await import('../dist/main.js')
else {
  process.stderr.write(
    `Huitou needs Node 26 or newer, and this is ${process.version}. \`npx node@26 node_modules/@huitou/cli/bin/huitou.mjs\` runs it on one.\n`,
  )
  process.exitCode = 1
}
