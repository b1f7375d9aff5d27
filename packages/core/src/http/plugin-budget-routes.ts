import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import { answerJson } from './answer.ts'
import type { SignedIn } from './env.ts'
import type { PluginAdmin } from './plugin-views.ts'
import { validate } from './validate.ts'

const about = (summary: string) => describeRoute({ tags: ['plugins'], summary })

/** What is left out is as the plugin's kind has it, and for a kind as Huitou ships. */
const Budget = z
  .strictObject({
    memoryMb: z.number().int().min(64).max(65_536),
    idleCpuShare: z.number().min(0.01).max(1),
    deadlineMs: z.number().int().min(1_000).max(3_600_000),
  })
  .partial()
const KindBudgets = z.strictObject({ worker: Budget, process: Budget })

/** How much memory, processor and time plugins may use. */
export function pluginBudgetRoutes(plugins: PluginAdmin) {
  return new Hono<SignedIn>()
    .get('/budgets', about('What plugins may use, by where they run'), (c) =>
      answerJson(c, plugins.budgets.view()),
    )
    .put(
      '/budgets',
      about('Change what plugins may use; holds at once and restarts none'),
      validate('json', KindBudgets),
      async (c) => {
        await plugins.budgets.setKinds(c.req.valid('json'), c.get('user').id)
        return answerJson(c, plugins.budgets.view())
      },
    )
    .put(
      '/:id/budget',
      about('Change what one plugin may use; an empty object takes its kind’s again'),
      validate('json', Budget),
      async (c) => {
        const id = c.req.param('id')
        await plugins.budgets.set(id, c.req.valid('json'), c.get('user').id)
        return answerJson(c, await plugins.get(id))
      },
    )
}
