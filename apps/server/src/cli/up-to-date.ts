import type { Huitou } from '../open-huitou.ts'

/** Folds everything that waits: profiles, scores, segments. */
export async function bringUpToDate(
  { core }: Huitou,
  onStep: (text: string) => void = () => {},
): Promise<void> {
  onStep('profiles')
  await core.settle()
  onStep('scores')
  await core.scores.runAll()
  onStep('segments')
  await core.settle()
}
