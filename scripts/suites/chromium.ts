import { existsSync } from 'node:fs'
import path from 'node:path'
import { runTool } from './run-tool.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const macApps = ['Google Chrome', 'Chromium'].map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`)

/** Path of a Chromium to test with: the system's, or else one installed now. */
export async function ensureChromium(): Promise<string> {
  const present = findChromium()
  if (present) return present
  if (canUseApt()) await aptInstall('chromium')
  const installed = findChromium()
  if (installed) return installed

  process.stdout.write('No Chromium on this machine; Playwright downloads its own …\n')
  const { ok } = await runTool('playwright', ['install', 'chromium'])
  const { chromium } = await import('@playwright/test')
  if (ok && existsSync(chromium.executablePath())) return chromium.executablePath()
  throw new Error(
    'There is no Chromium to test with. Install Chromium or Google Chrome and run the tests again.',
  )
}

/** Makes Chinese text visible in screenshots and measurable in layouts. */
export async function ensureChineseFonts(): Promise<void> {
  if (await hasChineseFont()) return
  if (canUseApt()) await aptInstall('fontconfig', 'fonts-noto-cjk')
  if (await hasChineseFont()) return
  process.stdout.write('No Chinese font was found; install Noto Sans CJK to see the admin app as it is.\n')
}

async function hasChineseFont(): Promise<boolean> {
  // macOS and Windows come with Chinese fonts, and without fontconfig.
  if (process.platform !== 'linux') return true
  return (
    onPath('fc-list') !== undefined &&
    (await runTool('fc-list', [':lang=zh'], { quiet: true })).output.trim() !== ''
  )
}

function findChromium(): string | undefined {
  const given = process.env.HUITOU_CHROMIUM
  if (given && existsSync(given)) return given
  for (const name of names) {
    const found = onPath(name)
    if (found) return found
  }
  return macApps.find((app) => existsSync(app))
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file))
}

function canUseApt(): boolean {
  return process.getuid?.() === 0 && onPath('apt-get') !== undefined
}

let updated = false

async function aptInstall(...packages: string[]): Promise<void> {
  process.stdout.write(`Installing ${packages.join(', ')} …\n`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  if (!updated) await runTool('apt-get', ['-qq', 'update'], { env, quiet: true })
  updated = true
  const { ok, output } = await runTool(
    'apt-get',
    ['-qq', '--yes', 'install', '--no-install-recommends', ...packages],
    {
      env,
      quiet: true,
    },
  )
  if (!ok) process.stdout.write(`${output}\n`)
}
