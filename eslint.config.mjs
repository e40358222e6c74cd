// Lint finds bugs here, not taste. The typed rules are the reason to have it: a promise nobody
// waits for is the bug of network code.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const NO_ONLY_OR_SKIP =
  'every test runs, always: remove .only and .skip (a test that cannot run on this system calls this.skip() and says why)';
const TEST_WORDS = '/^(describe|context|suite|it|specify|test)$/';

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', 'test-results/', '.vscode-test/', '**/.*/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      // Prettier breaks long lines: a body on a line of its own gets its braces.
      curly: ['error', 'multi-line'],
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', ...testsThatDoNotRun()],

      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // `return promise` inside try leaves before it fails: the catch below never sees the error.
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        {
          argsIgnorePattern: '^_',
          varsIgnorePattern: '^_',
          caughtErrorsIgnorePattern: '^_',
          ignoreRestSiblings: true,
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],

      // An async function without await is how a fake or a simple implementation meets an async
      // interface.
      '@typescript-eslint/require-await': 'off',
    },
  },

  // The product speaks through logs, frames and the command line's own output, which all have one
  // place each.
  { files: ['protocol/**', 'tracker/**', 'extension/**'], rules: { 'no-console': 'error' } },

  {
    files: ['test/**'],
    rules: {
      // Made-up and hostile values are the point of many tests.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },

  // Plain JavaScript (what runs before anything is installed or built) is in no TypeScript project.
  { files: ['**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);

function testsThatDoNotRun() {
  return [
    `MemberExpression[object.name=${TEST_WORDS}]:matches([property.name=/^(only|skip)$/], [property.value=/^(only|skip)$/])`,
    'CallExpression[callee.name=/^(xit|xspecify|xdescribe|xcontext)$/]',
  ].map((selector) => ({ selector, message: NO_ONLY_OR_SKIP }));
}
