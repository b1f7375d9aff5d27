import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { root, runTool } from './run-tool.ts'
import { inSlot } from './slots.ts'
import type { Suite, Write } from './tally.ts'

/** Folders that one compiler checks at once, so that what they all import is read and understood once. */
export interface TypedProgram {
  checker: 'tsc' | 'vue-tsc'
  folders: string[]
  /** The `tsconfig.json` that all of them have, but for what it includes. */
  config: { extends?: string; compilerOptions?: object }
  include: string[]
}

export const types: Suite = {
  name: 'types',
  title: 'types (the native tsc, vue-tsc)',
  beside: true,
  exists: () => true,
  async run(write) {
    const programs = typedPrograms()
    const complaints = await Promise.all(programs.map((program) => inSlot(() => complaintsOf(program))))
    return verdict(
      programs.flatMap((program) => program.folders),
      new Set(complaints.flat()),
      write,
    )
  },
}

/** Programs that cover every folder with a `tsconfig.json`; those with the same options share one. */
export function typedPrograms(): TypedProgram[] {
  const programs = new Map<string, TypedProgram>()
  for (const file of typedConfigs()) {
    const folder = path.dirname(file)
    const { include = ['**/*'], ...config } = readConfig(path.join(root, file))
    const checker = hasVue(folder) ? 'vue-tsc' : 'tsc'
    const key = JSON.stringify([checker, config])
    const program = programs.get(key) ?? { checker, folders: [], config, include: [] }
    program.folders.push(folder)
    program.include.push(...include.map((pattern) => path.join(root, folder, pattern)))
    programs.set(key, program)
  }
  // The long one first: the others fill the time beside it.
  return [...programs.values()].toSorted((a, b) => b.checker.length - a.checker.length)
}

function typedConfigs(): string[] {
  const patterns = ['{packages,plugins,apps,examples}/*/tsconfig.json', '{benchmarks,scripts}/tsconfig.json']
  return globSync(patterns, { cwd: root })
    .filter((file) => sources(path.dirname(file), ['**/*.ts', '**/*.vue']).length > 0)
    .toSorted()
}

function readConfig(file: string): TypedProgram['config'] & { include?: string[] } {
  const { config, error } = ts.readConfigFile(file, ts.sys.readFile)
  if (error) throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(error.messageText, '\n')}`)
  const base = config.extends && path.resolve(path.dirname(file), config.extends)
  return { ...config, extends: base }
}

/** What a compiler has against a program: its messages, each with the lines that explain it. */
async function complaintsOf({ checker, folders, config, include }: TypedProgram): Promise<string[]> {
  // Inside the first folder, because `types` are looked for from where the file is.
  const file = path.join(
    root,
    folders[0]!,
    folders.length > 1 ? 'node_modules/.huitou-types.json' : 'tsconfig.json',
  )
  if (folders.length > 1) {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify({ ...config, include }))
  }
  const args = ['--noEmit', '--pretty', 'false', '-p', file]
  const { ok, output } =
    checker === 'vue-tsc'
      ? await runTool('vue-tsc', args, { quiet: true })
      : // More checkers would each learn the same types again.
        await runTool('node', [nativeCompiler(), '--checkers', '1', ...args], { quiet: true })
  const complaints = output.split(/\n(?=\S)/).flatMap((text) => text.trim() || [])
  if (!ok && complaints.length === 0) return [`${checker} failed for ${folders.join(', ')}`]
  return ok ? [] : complaints
}

/** TypeScript's native compiler, beside the one in JavaScript that Vue and ESLint need. */
function nativeCompiler(): string {
  return path.resolve(fileURLToPath(import.meta.resolve('typescript-native/package.json')), '../bin/tsc')
}

/** One check a folder. A complaint counts where its file is, whichever program came across it. */
function verdict(folders: string[], complaints: Set<string>, write: Write) {
  let failed = 0
  for (const folder of folders.toSorted()) {
    const own = [...complaints].filter((text) => text.startsWith(`${folder}/`))
    for (const text of own) complaints.delete(text)
    if (own.length > 0) failed++
    write(`${own.length > 0 ? '✗' : '✓'} ${folder}\n${own.map((text) => `${text}\n`).join('')}`)
  }
  // Files above the folders, and what is wrong with a configuration.
  if (complaints.size > 0) write(`✗ elsewhere\n${[...complaints].join('\n')}\n`)
  return { passed: folders.length - failed, failed: failed + (complaints.size > 0 ? 1 : 0), skipped: 0 }
}

function hasVue(folder: string): boolean {
  return sources(folder, ['vite.config.ts', '**/*.vue']).length > 0
}

function sources(folder: string, patterns: string[]): string[] {
  return globSync(patterns, {
    cwd: path.join(root, folder),
    exclude: (name) => /(^|\/)(node_modules|dist)$/.test(name),
  })
}
