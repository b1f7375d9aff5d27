/** What one check of the installation found. */
export interface Finding {
  check: string
  /** A `warn` is worth a look and harms nothing yet; a `fail` is. */
  level: 'ok' | 'warn' | 'fail'
  detail: string
}

export function fine(check: string, detail: string): Finding {
  return { check, level: 'ok', detail }
}

export function failing(check: string, detail: string): Finding {
  return { check, level: 'fail', detail }
}

export function doubtful(check: string, detail: string): Finding {
  return { check, level: 'warn', detail }
}
