import type { Import } from '@huitou/admin-kit'

export const importSteps = ['file', 'recognise', 'map', 'import', 'result'] as const
export type ImportStep = (typeof importSteps)[number]

/** Below this the reader is asked which kind of file it is. */
export const sureEnough = 0.6

/** The step an import stands at; `wanted` may go back to the choice of the kind while nothing is written. */
export function stepOf(upload: Import | undefined, wanted?: unknown): ImportStep {
  if (!upload) return 'file'
  switch (upload.state) {
    case 'importing':
    case 'paused':
      return 'import'
    case 'done':
    case 'cancelled':
      return 'result'
    case 'failed':
      return upload.jobId ? 'result' : 'recognise'
    default: {
      if (wanted === 'recognise') return 'recognise'
      const best = upload.recognitions[0]?.confidence ?? 0
      return wanted === 'map' || upload.state === 'checked' || best >= sureEnough ? 'map' : 'recognise'
    }
  }
}
