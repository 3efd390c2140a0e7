import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { knownQemu } from '../../guest/start/qemu-version.js';
import { connectQmp, type Qmp } from '../../guest/transport/qmp.js';
import { COMMANDS, MAKERS, type Arguments, type ArgumentType } from './qmp-commands.js';

/**
 * What a scenario may say to QEMU, held against what this QEMU itself says of each command, device and object: no argument
 * that may be set names a file, a socket, a character device, a network or another thing of the host.
 */

interface Property {
  readonly name: string;
  /** `uint64`, `bool`, `str`, `link<memory-backend>` */
  readonly type: string;
  readonly description?: string;
}

interface SchemaEntity {
  readonly name: string;
  readonly 'meta-type': string;
  readonly 'json-type'?: string;
  readonly 'arg-type'?: string;
  readonly 'element-type'?: string;
  readonly members?: readonly { readonly name: string; readonly type?: string }[];
}

let qmp: Qmp;
let end: () => Promise<unknown>;

beforeAll(async () => {
  const { binary } = await knownQemu();
  const args = ['-M', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-qmp', 'stdio'];
  const qemu = execa(binary, args, { stdin: 'pipe', stdout: 'pipe', buffer: false, reject: false });
  end = async () => {
    qemu.kill('SIGKILL');
    await qemu;
  };
  qmp = await connectQmp(qemu.stdin, qemu.stdout, () => undefined);
});
afterAll(() => end());

const makers = Object.entries(MAKERS).flatMap(([command, { makes }]) =>
  Object.entries(makes).map(([kind, properties]) => ({ command, kind, properties })),
);

describe('of what QEMU lets be set of', () => {
  test.each(makers)('$kind, a scenario sets nothing of the host', async ({ command, kind, properties }) => {
    const known =
      command === 'device_add'
        ? await ask('device-list-properties', kind)
        : await ask('qom-list-properties', kind);
    // -M none has no PCI bus, but the properties are the types'
    expect(known.length).toBeGreaterThan(5);
    for (const [name, type] of Object.entries(properties)) {
      // what -device itself takes: the ids of the device and of the bus that it goes to
      if (command === 'device_add' ? name === 'id' || name === 'bus' : name === 'id') continue;
      const property = known.find((one) => one.name === name);
      expect(property, `${kind} has no ${name}`).toBeDefined();
      expect(property && wordOf(property), `${kind}.${name}`).toEqual(typeWord(type));
    }
  });

  test('a device, files are among what is refused', async () => {
    const properties = await ask('device-list-properties', 'cxl-type3');
    const texts = properties.filter(({ type }) => type === 'str').map(({ name }) => name);
    expect(texts).toEqual(expect.arrayContaining(['romfile', 'cdat']));
    const allowed = Object.keys(MAKERS['device_add']?.makes['cxl-type3'] ?? {});
    expect(texts.filter((name) => allowed.includes(name))).toEqual(['addr']);
  });
});

test('every command that a scenario may give takes the arguments that it may have, and none of the host', async () => {
  const entities = (await qmp.execute('query-qmp-schema')) as SchemaEntity[];
  const schema = new Map(entities.map((entity) => [entity.name, entity]));
  const membersOf = (type: string | undefined) => schema.get(type ?? '')?.members ?? [];

  const agree = (what: string, mine: ArgumentType, theirs: string | undefined): void => {
    const entity = schema.get(theirs ?? '');
    const kind = entity?.['json-type'] ?? entity?.['meta-type'];
    if (typeof mine !== 'object') {
      const wanted = mine === 'number' ? ['int'] : mine === 'boolean' ? ['boolean'] : ['string', 'enum'];
      expect(wanted, what).toContain(kind);
    } else if ('oneOf' in mine) {
      expect(kind, what).toBe('enum');
      expect(
        membersOf(theirs).map(({ name }) => name),
        what,
      ).toEqual(expect.arrayContaining([...mine.oneOf]));
    } else if ('listOf' in mine) {
      expect(kind, what).toBe('array');
      agree(what, mine.listOf, entity?.['element-type']);
    } else agreeAll(what, mine.fields, theirs);
  };
  const agreeAll = (what: string, mine: Arguments, theirs: string | undefined): void => {
    for (const [name, type] of Object.entries(mine)) {
      const member = membersOf(theirs).find((one) => one.name === name);
      expect(member, `${what} has no ${name}`).toBeDefined();
      agree(`${what}.${name}`, type, member?.type);
    }
  };
  for (const [command, args] of Object.entries(COMMANDS)) {
    expect(schema.get(command)?.['meta-type'], command).toBe('command');
    agreeAll(command, args, schema.get(command)?.['arg-type']);
  }
});

const ask = async (command: string, typename: string): Promise<Property[]> =>
  (await qmp.execute(command, { typename })) as Property[];

/** What kind of thing a property is; its own words for one that may be of the host. */
function wordOf({ name, type, description = '' }: Property): string {
  if (/^u?int\d*$|^size$/.test(type)) return 'number';
  if (type === 'bool') return 'boolean';
  if (type === 'link<memory-backend>') return 'id';
  if (type === 'str' && name === 'addr' && description.startsWith('Slot')) return 'slot';
  if (/^PCIELink(Speed|Width)$/.test(type)) return 'one of a list';
  return `${type} ${description}`;
}

function typeWord(type: ArgumentType): string {
  return typeof type === 'string' ? type : 'oneOf' in type ? 'one of a list' : 'a structure';
}
