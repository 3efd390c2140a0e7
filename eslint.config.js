import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const hostClock = {
  selector:
    "BinaryExpression[operator=/^[-+<>]/] > CallExpression[callee.object.name='Date'][callee.property.name='now']",
  message: "The host's clock may be set at any time: measure with performance.now() or stopwatch().",
};

const secondMatcher = {
  selector: ":matches(NewExpression, CallExpression)[callee.name='RegExp'][arguments.0.type!='Literal']",
  message: 'What a scenario wrote is matched by matches() of base/pattern.ts alone, in linear time.',
};

export default tseslint.config(
  { ignores: ['.dependency-cruiser.cjs', 'dist/', 'node_modules/', '.cxlrig/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './harness/report/html/app/tsconfig.json'] },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  { files: ['harness/{run,guest,abi}/**/*.ts'], rules: { 'no-restricted-syntax': ['error', hostClock] } },
  {
    files: ['harness/scenario/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', hostClock, secondMatcher] },
  },
  { files: ['harness/verdict/**/*.ts'], rules: { 'no-restricted-syntax': ['error', secondMatcher] } },
  { files: ['*.config.js'], ...tseslint.configs.disableTypeChecked },
);
