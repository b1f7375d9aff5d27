import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ensureChineseFonts, ensureChromium } from './chromium.ts'
import { runTool } from './run-tool.ts'
import { tallyOfPlaywright, type Suite } from './tally.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const browser: Suite = {
  name: 'browser',
  title: 'the admin app in Chromium (Playwright)',
  exists: () => true,
  async run() {
    const chromium = await ensureChromium()
    await ensureChineseFonts()
    const { ok } = await runTool('node', ['scripts/build-admin.ts'])
    if (!ok) throw new Error('The admin app could not be built; see above.')

    const folder = mkdtempSync(path.join(tmpdir(), 'huitou-browser-'))
    const file = path.join(folder, 'report.json')
    try {
      await runTool('playwright', ['test', '--reporter=list,json'], {
        env: { ...temporaryFolder(), HUITOU_CHROMIUM: chromium, PLAYWRIGHT_JSON_OUTPUT_NAME: file },
      })
      return tallyOfPlaywright(JSON.parse(readFileSync(file, 'utf8')))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
