import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['**/vendor/**', '.venv/**', 'dist/**', 'build/**', 'state/**'] },
  js.configs.recommended,
  {
    files: ['webui/**/*.js'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      complexity: ['error', 20], // of a view function, where each "or nothing" counts as a branch
      'consistent-return': 'error',
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-param-reassign': 'error',
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Text of devices is never markup: build elements with h().' },
        { property: 'outerHTML', message: 'Text of devices is never markup: build elements with h().' },
        { property: 'insertAdjacentHTML', message: 'Text of devices is never markup: build elements with h().' },
      ],
      'no-shadow': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-use-before-define': ['error', { functions: false, variables: false }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'prefer-template': 'error',
    },
  },
];
