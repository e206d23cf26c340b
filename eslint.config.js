import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { architecture } from './eslint.architecture.js';

const typeScript = {
  files: ['**/*.ts'],
  extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
  languageOptions: {
    parserOptions: { project: ['./tsconfig.json', './brain/page/client/tsconfig.json'] },
  },
  rules: {
    '@typescript-eslint/consistent-type-imports': 'error',
    '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
    '@typescript-eslint/no-confusing-void-expression': [
      'error',
      { ignoreArrowShorthand: true, ignoreVoidOperator: true },
    ],
    '@typescript-eslint/no-unused-vars': [
      'error',
      { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
    ],
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    '@typescript-eslint/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true },
    ],
    // A constructor may be there to narrow what it takes.
    '@typescript-eslint/no-useless-constructor': 'off',
    // Would have `!`, which another rule forbids.
    '@typescript-eslint/non-nullable-type-assertion-style': 'off',
    // Code points are what is meant.
    '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
    // Our methods are closures: there is no `this` to lose.
    '@typescript-eslint/unbound-method': 'off',
    // Costly to compute, and little to find: there are no enums (erasableSyntaxOnly) and few classes.
    '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    '@typescript-eslint/no-deprecated': 'off',
    // A switch over the kinds of a union is one decision.
    complexity: ['error', { max: 12, variant: 'modified' }],
    eqeqeq: 'error',
    'max-lines': ['error', 250],
    'max-lines-per-function': ['error', 50],
    'prefer-const': 'error',
  },
};

/** A `describe` is one long function, and a test may look into what is private or broken. */
const tests = {
  files: ['test/**/*.ts'],
  rules: {
    'max-lines-per-function': 'off',
    '@typescript-eslint/no-unused-expressions': 'off',
    '@typescript-eslint/require-await': 'off',
  },
};

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'proto/generated/', '.tools/', '.cache/', '**/*.d.mts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  typeScript,
  architecture,
  tests,
);
