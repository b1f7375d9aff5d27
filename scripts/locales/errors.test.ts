import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readMessages } from './messages.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** Where errors come from that a person may meet in the admin app, and what raises them there. */
const SOURCES = [
  {
    files: 'packages/core/src/**/*.ts',
    // The caller's own and the world's, not those that are bugs.
    raises: /(?:userError|unknownName)\(\s*'(E_[A-Z_]+)'|AppError\(\s*'(?:user|world)',\s*'(E_[A-Z_]+)'/g,
  },
  {
    files:
      '{packages/plugin-host/src,apps/server/src/plugins,apps/server/src/backup,apps/server/src/demo}/**/*.ts',
    // What is a bug is the extension's, and stands beside its name.
    raises:
      /(?:userError|archiveError|findingsError|new AppError)\(\s*(?:'\w+',\s*)?'(E_[A-Z_]+)'|code: '(E_[A-Z_]+)'/g,
  },
]

function raisedCodes(): Set<string> {
  const codes = SOURCES.flatMap(({ files, raises }) =>
    globSync(files, { cwd: root })
      .filter((file) => !/(\.test|-fixture)\.ts$/.test(file))
      .flatMap((file) => [...readFileSync(path.join(root, file), 'utf8').matchAll(raises)])
      .map(([, one, other]) => one ?? other ?? ''),
  )
  return new Set(codes)
}

test.each(['en', 'zh-CN'])(
  'every error that a person may meet has a text in %s, and every text an error',
  (locale) => {
    const texts = [...readMessages(root, locale).keys()].filter((key) => /^errors\..*\.text$/.test(key))
    expect(texts.map((key) => key.split('.')[1]).toSorted()).toEqual([...raisedCodes()].toSorted())
  },
)
