// What the single binary runs first. The files it carries are laid out in a folder once, because threads, plugins and
// the database's addon are loaded from files; everything after that is as in an installation.
import { createRequire } from 'node:module'
import path from 'node:path'
import { getAsset } from 'node:sea'
import { findRuntimeFolder, layOut, type Contents } from './runtime-folder.ts'

/** Programs of their own that the server starts by naming their file to its own executable. */
const PROGRAMS = ['plugin-process.mjs', 'query-process.mjs']

const contents = JSON.parse(getAsset('huitou.json', 'utf8')) as Contents
const program = findProgram(process.argv[2])
if (program) process.argv.splice(1, 1)
const folder = program ? path.dirname(program) : layOut(contents, findRuntimeFolder(contents, process.argv))
const start = createRequire(path.join(folder, 'start.cjs'))('./start.cjs') as (file: string) => Promise<void>
void start(program ? path.basename(program) : 'huitou.mjs')

/** The argument, if it names a program of this very build. */
function findProgram(argument: string | undefined): string | undefined {
  if (argument === undefined || !path.isAbsolute(argument)) return undefined
  if (!PROGRAMS.includes(path.basename(argument))) return undefined
  return argument.split(path.sep).includes(contents.digest) ? argument : undefined
}
