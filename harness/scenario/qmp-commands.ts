import { didYouMean } from '../base/did-you-mean.js';

/**
 * Which QMP commands a scenario may give. QMP is the emulator's own control: `migrate` runs host commands, `pmemsave`
 * writes host files, `chardev-add` opens sockets. A scenario cannot touch the host, so what is allowed is listed.
 */

const COMMANDS: readonly string[] = [
  'cont',
  'cxl-add-dynamic-capacity',
  'cxl-inject-correctable-error',
  'cxl-inject-dram-event',
  'cxl-inject-general-media-event',
  'cxl-inject-memory-module-event',
  'cxl-inject-poison',
  'cxl-inject-uncorrectable-errors',
  'cxl-release-dynamic-capacity',
  'device_add',
  'device_del',
  'inject-nmi',
  'object-add',
  'object-del',
  'qom-get',
  'qom-list',
  'query-memdev',
  'query-memory-devices',
  'query-pci',
  'query-status',
  'query-version',
  'stop',
  'system_powerdown',
  'system_reset',
];

/** Commands that make something: the argument that says what, what it may be, and which other arguments it may have. */
const MAKERS: Readonly<
  Record<string, { kind: string; allowed: readonly string[]; properties?: readonly string[] }>
> = {
  device_add: { kind: 'driver', allowed: ['cxl-type3', 'cxl-downstream', 'cxl-upstream', 'cxl-rp'] },
  'object-add': { kind: 'qom-type', allowed: ['memory-backend-ram'], properties: ['id', 'size', 'share'] },
};

export interface QmpFault {
  /** where in the step's body */
  readonly path: readonly string[];
  readonly message: string;
  readonly hint?: string;
}

/** Why a scenario may not give this QMP command; undefined when it may. */
export function qmpFault(
  execute: string,
  args: Readonly<Record<string, unknown>> | undefined,
): QmpFault | undefined {
  if (!COMMANDS.includes(execute)) {
    const likely = didYouMean(execute, COMMANDS);
    return {
      path: ['execute'],
      message: `a scenario may not give the QMP command ${JSON.stringify(execute)}`,
      hint: likely ? `did you mean ${likely}?` : `those it may give: ${COMMANDS.join(', ')}`,
    };
  }
  const maker = Object.hasOwn(MAKERS, execute) ? MAKERS[execute] : undefined;
  if (!maker) return undefined;
  const kind = args?.[maker.kind];
  if (typeof kind !== 'string' || !maker.allowed.includes(kind)) {
    return {
      path: kind === undefined ? ['execute'] : ['arguments', maker.kind],
      message: `${execute} needs the argument \`${maker.kind}\` with one of: ${maker.allowed.join(', ')}`,
    };
  }
  const { properties } = maker;
  const extra =
    properties && Object.keys(args ?? {}).find((key) => key !== maker.kind && !properties.includes(key));
  if (extra === undefined) return undefined;
  return {
    path: ['arguments', extra],
    message: `${execute} of a ${kind} may not set \`${extra}\``,
    hint: `what may be set: ${properties?.join(', ') ?? ''}`,
  };
}
