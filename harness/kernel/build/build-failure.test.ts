import { describe, expect, it } from 'vitest';
import { firstFault, suspect } from './build-failure.js';
import type { Patch } from '../sources/series.js';

const SRC = '/cache/build/src';

// make -j2 --output-sync=target of Linux 7.3 with a member renamed in drivers/dax/bus.h
const INCLUDED = `  CC [M]  drivers/dax/super.o
  CC [M]  drivers/dax/kmem.o
In file included from /cache/build/src/drivers/dax/bus.h:8,
                 from /cache/build/src/drivers/dax/kmem.c:15:
/cache/build/src/drivers/dax/dax-private.h:77:9: error: unknown type name 'strct'; did you mean 'struct'?
   77 |         strct dax_region *region;
      |         ^~~~~
      |         struct
make[5]: *** [/cache/build/src/scripts/Makefile.build:289: drivers/dax/kmem.o] Error 1
make[4]: *** [/cache/build/src/scripts/Makefile.build:546: drivers/dax] Error 2
make: *** [Makefile:248: __sub-make] Error 2`.split('\n');

const LINK = `  LD      vmlinux.unstripped
ld: vmlinux.o: in function \`cxl_region_init':
region.c:(.init.text+0x12): undefined reference to \`cxl_missing'
make[2]: *** [/cache/build/src/scripts/Makefile.vmlinux:72: vmlinux.unstripped] Error 1`.split('\n');

const MODPOST = `  MODPOST Module.symvers
ERROR: modpost: "dax_gone" [drivers/dax/kmem.ko] undefined!
make[3]: *** [/cache/build/src/scripts/Makefile.modpost:147: Module.symvers] Error 1`.split('\n');

const NO_RULE =
  `make[5]: *** No rule to make target 'drivers/cxl/nothing.o', needed by 'drivers/cxl/built-in.a'.  Stop.`.split(
    '\n',
  );

function patch(name: string, ...touches: string[]): Patch {
  return { name, touches, diff: Buffer.alloc(0) };
}

describe('what went wrong first in a build', () => {
  it("is the compiler's first error, with the includes that lead to it, without make's comments", () => {
    const fault = firstFault(INCLUDED, SRC);
    expect(fault.file).toBe('drivers/dax/dax-private.h');
    expect(fault.includedFrom).toEqual(['drivers/dax/bus.h', 'drivers/dax/kmem.c']);
    expect(fault.excerpt[0]).toBe('In file included from drivers/dax/bus.h:8,');
    expect(fault.excerpt.at(-1)).toBe('      |         struct');
  });

  it('is an undefined reference when it does not link', () => {
    expect(firstFault(LINK, SRC).excerpt[0]).toContain('undefined reference to `cxl_missing');
    expect(firstFault(MODPOST, SRC).excerpt[0]).toContain('"dax_gone" [drivers/dax/kmem.ko] undefined!');
  });

  it("is make's own word when nobody else said anything, else the end of the log", () => {
    expect(firstFault(NO_RULE, SRC).excerpt).toEqual(NO_RULE);
    expect(firstFault(['something', 'odd'], SRC).excerpt).toEqual(['something', 'odd']);
  });
});

describe('the patch that most likely broke a build', () => {
  it('is the last one that touches the file of the error', () => {
    const patches = [
      patch('1', 'drivers/dax/dax-private.h'),
      patch('2', 'drivers/dax/dax-private.h'),
      patch('3', 'a'),
    ];
    expect(suspect(firstFault(INCLUDED, SRC), patches)?.name).toBe('2');
  });

  it('is one that touches a file on the way to it, or its Makefile', () => {
    expect(suspect(firstFault(INCLUDED, SRC), [patch('1', 'drivers/dax/bus.h')])?.name).toBe('1');
    expect(suspect(firstFault(INCLUDED, SRC), [patch('1', 'drivers/dax/Kconfig')])?.name).toBe('1');
  });

  it('is not named when none has to do with it', () => {
    expect(suspect(firstFault(INCLUDED, SRC), [patch('1', 'mm/memory.c')])).toBeUndefined();
  });
});
