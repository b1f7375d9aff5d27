import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const

export const doctorCommand = defineCommand({
  meta: { name: 'doctor', description: 'Check the installation and say what is wrong with it' },
  args: commonArgs,
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args, { existing: true })
      const { examine } = await import('../doctor/examine.ts')
      const findings = await examine(huitou, huitou.config)
      const ok = findings.every(({ level }) => level !== 'fail')
      print(
        args,
        { ok, findings: findings.map((finding) => ({ ...finding, ok: finding.level !== 'fail' })) },
        findings.map(({ level, check, detail }) => `${MARKS[level]} ${check}: ${detail}`).join('\n'),
      )
      if (!ok) process.exitCode = 1
    })
  },
})
