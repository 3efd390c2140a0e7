import { describe, expect, test } from 'vitest';
import { lengthWithoutSignature, parseModulesDep, selectModules } from './modules.js';

/** Lines of the modules.dep of Debian's 7.3.4 cloud kernel. */
const MODULES_DEP = `\
kernel/drivers/cxl/cxl_pci.ko.xz: kernel/drivers/cxl/cxl_mem.ko.xz
kernel/drivers/cxl/cxl_mem.ko.xz:
kernel/drivers/cxl/cxl_pmem.ko.xz: kernel/drivers/nvdimm/libnvdimm.ko.xz
kernel/drivers/nvdimm/libnvdimm.ko.xz:
kernel/drivers/nvdimm/nd_btt.ko.xz: kernel/drivers/nvdimm/libnvdimm.ko.xz
kernel/drivers/dax/kmem.ko.xz:
kernel/drivers/dax/hmem/dax_hmem.ko.xz:
kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko.xz
kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz
kernel/net/core/failover.ko.xz:
`;

const dependencies = parseModulesDep(MODULES_DEP);

describe('the selection of modules', () => {
  test('takes what a pattern names and all that it needs', () => {
    expect(selectModules(dependencies, ['kernel/drivers/net/virtio_net.ko'])).toEqual([
      'kernel/drivers/net/net_failover.ko.xz',
      'kernel/drivers/net/virtio_net.ko.xz',
      'kernel/net/core/failover.ko.xz',
    ]);
    expect(selectModules(dependencies, ['kernel/drivers/cxl/cxl_pm*'])).toEqual([
      'kernel/drivers/cxl/cxl_pmem.ko.xz',
      'kernel/drivers/nvdimm/libnvdimm.ko.xz',
    ]);
  });

  test('lets one star stop at a slash and two stars go on', () => {
    expect(selectModules(dependencies, ['kernel/drivers/dax/*'])).toEqual(['kernel/drivers/dax/kmem.ko.xz']);
    expect(selectModules(dependencies, ['kernel/drivers/dax/**'])).toHaveLength(2);
  });

  test('reads dots as dots and matches whole paths', () => {
    expect(selectModules(dependencies, ['kernel/drivers/cxl/cxl_memxko'])).toEqual([]);
    expect(selectModules(dependencies, ['cxl/cxl_mem.ko'])).toEqual([]);
  });

  test('is empty for a kernel that has all built in', () => {
    expect(selectModules(parseModulesDep(''), ['**'])).toEqual([]);
  });
});

describe('a module’s signature', () => {
  const module = Buffer.from('\x7fELF and so on');
  const magic = Buffer.from('~Module signature appended~\n');
  const lengths = (signer: number, key: number, signature: number) => {
    const bytes = Buffer.alloc(12);
    bytes[2] = 2; // PKCS#7
    bytes[3] = signer;
    bytes[4] = key;
    bytes.writeUInt32BE(signature, 8);
    return bytes;
  };

  test('ends where the module ends', () => {
    const signed = Buffer.concat([module, Buffer.alloc(300, 1), lengths(0, 0, 300), magic]);
    expect(lengthWithoutSignature(signed)).toBe(module.length);
  });

  test('may have a signer and a key before it', () => {
    const signed = Buffer.concat([module, Buffer.alloc(5 + 7 + 300, 1), lengths(5, 7, 300), magic]);
    expect(lengthWithoutSignature(signed)).toBe(module.length);
  });

  test('is not looked for where there is none', () => {
    expect(lengthWithoutSignature(module)).toBe(module.length);
    expect(lengthWithoutSignature(magic)).toBe(magic.length);
    expect(lengthWithoutSignature(Buffer.alloc(0))).toBe(0);
  });
});
