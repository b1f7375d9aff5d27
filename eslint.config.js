import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'
import { huitouPlugin } from './scripts/eslint/plugin.ts'

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name: a default export has a different name in every file that imports it.',
}
const noModuleMock = {
  selector: 'MemberExpression[object.name="vi"][property.name=/^(mock|doMock)$/]',
  message: 'No module mocks: pass the thing in, or use the real one (real database, fake clock).',
}
const noAny = {
  selector: 'TSAsExpression > TSAnyKeyword',
  message:
    '`as any` switches the compiler off from here on. Narrow with a guard, or say `unknown` and check.',
}

// Rules that need types, all about forgetting to wait, are oxlint's (.oxlintrc.json): it shares the native compiler.
export default defineConfig([
  globalIgnores([
    '**/dist/**',
    '**/node_modules/**',
    '**/coverage/**',
    '**/fixtures/**',
    '**/*.d.ts',
    '.data/**',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.recommended,
  vue.configs['flat/recommended'],
  {
    plugins: { huitou: huitouPlugin },
    rules: {
      'huitou/file-names': 'error',
      'huitou/import-direction': 'error',
      'huitou/no-outside-work-in-transaction': 'error',
      'no-restricted-syntax': ['error', noDefaultExport, noModuleMock, noAny],
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', { max: 4 }],
      'no-console': ['error', { allow: ['info', 'error'] }],
      'no-undef': 'off', // TypeScript knows; in .vue files it does not know the browser.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/no-explicit-any': 'off', // `Kysely<any>` is how Kysely says "any schema"; `as any` is refused above.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off', // `noUncheckedIndexedAccess` needs it where a loop proves it.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    },
  },
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      'no-restricted-syntax': ['error', noModuleMock, noAny],
      'no-useless-assignment': 'off', // It does not see what a template uses.
      // The formatter lays templates out.
      'vue/html-indent': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multi-word-component-names': 'off',
      'vue/require-default-prop': 'off',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/no-v-html': 'error',
    },
  },
  {
    // Entries that the host, a tool or a command loads by their default export.
    files: [
      '**/*.config.{ts,js}',
      'plugins/*/src/index.ts',
      'examples/*/src/index.ts',
      '{plugins,examples}/*/ui/**/*.{js,ts}',
      'packages/create-plugin/templates/*/src/index.ts',
      'apps/server/src/commands/*.ts',
      'packages/testing/src/postgres-setup.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', noModuleMock, noAny] },
  },
  {
    // A chain of routes and a file of tests are lists, however long the function around them is.
    files: ['**/routes.ts', '**/*.{test,spec}.ts', '**/{test,e2e}/**/*.ts', 'benchmarks/**/*.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    // A composable is a room of small functions around shared refs; its walls may stand a little further apart.
    files: ['**/use-*.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 110, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['benchmarks/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['scripts/**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', setTimeout: 'readonly' } },
  },
])
