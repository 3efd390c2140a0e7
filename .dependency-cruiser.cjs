// Who may import whom: `scripts/test` holds it. Rooms are the folders of harness/; tests may look anywhere.
const room = (names) => `^harness/(${names.join('|')})/`;
const own = { pathNot: String.raw`\.test\.ts$|/testing/` };
const UPPER = ['run', 'suite', 'vitest', 'cli', 'bench', 'soak'];

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'base-stands-alone',
      comment: 'what any program of this kind could use',
      severity: 'error',
      from: { path: room(['base']), ...own },
      to: { path: '^harness/', pathNot: room(['base']) },
    },
    {
      name: 'languages-of-machines-and-verdicts-need-base-only',
      severity: 'error',
      from: { path: room(['topology', 'verdict']), ...own },
      to: { path: '^harness/', pathNot: room(['base', 'topology', 'verdict']) },
    },
    {
      name: 'what-is-known-of-a-case-knows-nobody-who-makes-or-reads-it',
      comment: 'types and the schema of a trace: values of guests, machines and states',
      severity: 'error',
      from: { path: room(['trace']), ...own },
      to: { path: '^harness/', pathNot: room(['trace', 'base', 'topology', 'guest', 'abi']) },
    },
    {
      name: 'guests-know-no-scenarios',
      severity: 'error',
      from: { path: room(['guest', 'kernel', 'image', 'tools', 'abi']), ...own },
      to: { path: room(['scenario', 'trace', 'report', ...UPPER]) },
    },
    {
      name: 'reports-and-steps-know-no-runs',
      severity: 'error',
      from: { path: room(['scenario', 'report', 'datapath']), ...own },
      to: { path: room(UPPER) },
    },
    {
      name: 'nobody-imports-commands',
      severity: 'error',
      from: { path: '^harness/(?!cli/)', ...own },
      to: { path: room(['cli']) },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
