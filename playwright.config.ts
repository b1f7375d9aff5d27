import { defineConfig } from '@playwright/test'

const executablePath = process.env.HUITOU_CHROMIUM

export default defineConfig({
  testDir: 'apps/server/e2e',
  testMatch: '*.spec.ts',
  outputDir: 'test-results',
  forbidOnly: Boolean(process.env.CI),
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  // Generous for machines that do other things as well; what is right shows at once and waits for nothing.
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    // A trace costs every test half its time again: `--trace on` for whoever wants one.
    trace: 'off',
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      // Chromium's sandbox refuses to start as root, which is what a container is.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
})
