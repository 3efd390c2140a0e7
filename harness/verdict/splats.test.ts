import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSplats, isAllowed } from './index.js';

/**
 * Synthetic: put together after the print statements of the kernel, for reports that only kernels with debug options
 * make. Real consoles are in corpus/.
 */
const trace = (...symbols: string[]): string[] => [
  'CPU: 0 UID: 0 PID: 77 Comm: sh Not tainted 7.3.0 #1 PREEMPT(lazy)',
  'Hardware name: QEMU Standard PC (Q35 + ICH9, 2009)',
  'Call Trace:',
  ' <TASK>',
  ' dump_stack_lvl+0x5d/0x80',
  ...symbols.map((symbol) => ` ${symbol}+0x1f/0x90`),
  ' entry_SYSCALL_64_after_hwframe+0x76/0x7e',
  ' </TASK>',
];
const ruler = '='.repeat(66);

function stamped(lines: readonly string[]): string {
  return lines.map((line, n) => `[   ${(12 + n / 1000).toFixed(6)}] ${line}\n`).join('');
}

const synthetic: Record<string, { lines: string[]; kind: string; title: string; symbols: string[] }> = {
  'KASAN, with who allocated and who freed': {
    lines: [
      ruler,
      'BUG: KASAN: slab-use-after-free in cxl_detach_ep+0x1f/0x90 [cxl_core]',
      'Read of size 8 at addr ffff8880123a4b40 by task modprobe/77',
      '',
      ...trace('print_report', 'kasan_report', 'cxl_detach_ep', 'release_nodes'),
      '',
      'Allocated by task 50:',
      ' kasan_save_stack+0x33/0x60',
      ' cxl_endpoint_alloc+0x10/0x20',
      '',
      'The buggy address belongs to the object at ffff8880123a4b00',
      ' which belongs to the cache kmalloc-128 of size 128',
      'Memory state around the buggy address:',
      '>ffff8880123a4b00: fa fb fb fb',
      ruler,
    ],
    kind: 'kasan',
    title: 'BUG: KASAN: slab-use-after-free in cxl_detach_ep',
    symbols: ['cxl_detach_ep', 'release_nodes'],
  },
  KCSAN: {
    lines: [
      ruler,
      'BUG: KCSAN: data-race in cxl_a / cxl_b',
      '',
      'write to 0xffff888012345678 of 8 bytes by task 77 on cpu 0:',
      ' cxl_a+0x10/0x20',
      'read to 0xffff888012345678 of 8 bytes by task 78 on cpu 1:',
      ' cxl_b+0x10/0x20',
      ruler,
    ],
    kind: 'kcsan',
    title: 'BUG: KCSAN: data-race in cxl_a / cxl_b',
    symbols: [],
  },
  'a circular lock dependency': {
    lines: [
      '======================================================',
      'WARNING: possible circular locking dependency detected',
      '7.3.0 #1 Not tainted',
      '------------------------------------------------------',
      'sh/77 is trying to acquire lock:',
      'ffffffff82a0b0c0 (mem_hotplug_lock){++++}-{0:0}, at: add_memory+0x1f/0x90',
      'the existing dependency chain (in reverse order) is:',
      '-> #1 (&dev->mutex){....}-{4:4}:',
      '       __mutex_lock+0x9b/0xf30',
      '       device_attach+0x1f/0x90',
      'stack backtrace:',
      ...trace(
        'print_circular_bug',
        'check_noncircular',
        '__lock_acquire',
        'add_memory',
        'dev_dax_kmem_probe',
      ),
    ],
    kind: 'lockdep',
    title: 'WARNING: possible circular locking dependency detected in add_memory',
    symbols: ['add_memory', 'dev_dax_kmem_probe'],
  },
  'suspicious RCU usage': {
    lines: [
      '=============================',
      'WARNING: suspicious RCU usage',
      '7.3.0 #1 Not tainted',
      '-----------------------------',
      'drivers/dax/super.c:10 suspicious rcu_dereference_check() usage!',
      'stack backtrace:',
      ...trace('lockdep_rcu_suspicious', 'dax_holder'),
    ],
    kind: 'lockdep',
    title: 'WARNING: suspicious RCU usage in dax_holder',
    symbols: ['dax_holder'],
  },
  'a sleep in atomic context': {
    lines: [
      'BUG: sleeping function called from invalid context at mm/slab_common.c:10',
      'in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 77, name: sh',
      'preempt_count: 1, expected: 0',
      ...trace('__might_resched', 'cxl_region_attach'),
    ],
    kind: 'atomic-sleep',
    title: 'BUG: sleeping function called from invalid context at mm/slab_common.c:10 in cxl_region_attach',
    symbols: ['cxl_region_attach'],
  },
  'a debug object': {
    lines: [
      '------------[ cut here ]------------',
      'ODEBUG: free active (active state 0) object: ffff8880123a4b40 object type: timer_list hint: 0x0',
      'WARNING: CPU: 0 PID: 77 at lib/debugobjects.c:10 debug_print_object+0x1f/0x90',
      'RIP: 0010:debug_print_object+0x1f/0x90',
      ...trace('debug_check_no_obj_freed', 'kfree', 'cxl_mbox_free'),
      '---[ end trace 0000000000000000 ]---',
    ],
    kind: 'debug-objects',
    title: 'ODEBUG: free active (active state 0) object: * object type: timer_list hint: * in cxl_mbox_free',
    symbols: ['cxl_mbox_free'],
  },
  'leaked memory': {
    lines: ['kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)'],
    kind: 'kmemleak',
    title: '3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)',
    symbols: [],
  },
  'a hard lockup': {
    lines: [
      'watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1',
      'Modules linked in: kmem',
      'RIP: 0010:dax_spin+0x1f/0x90',
      ...trace('dax_spin_caller'),
    ],
    kind: 'hard-lockup',
    title: 'CPU: Watchdog detected hard LOCKUP on cpu 1 in dax_spin',
    symbols: ['dax_spin', 'dax_spin_caller'],
  },
  'a page in a bad state': {
    lines: [
      'BUG: Bad page state in process sh  pfn:12345',
      'page: refcount:0 mapcount:0',
      ...trace('bad_page', 'free_unref'),
    ],
    kind: 'page-state',
    title: 'BUG: Bad page state in process sh in free_unref',
    symbols: ['free_unref'],
  },
};

describe('a splat of a debug kernel', () => {
  it.each(Object.entries(synthetic))('is known: %s', (_what, { lines, kind, title, symbols }) => {
    const log = stamped(['cxl_mem mem0: ready', ...lines, 'cxl_mem mem0: goes on']);
    const splats = findSplats(log);
    expect(splats).toMatchObject([{ kind, title, symbols }]);
    expect(splats[0]?.text).not.toContain('goes on');
  });
});

describe('a splat', () => {
  const warning = [
    '------------[ cut here ]------------',
    'WARNING: drivers/cxl/core/region.c:10 at cxl_region_probe.cold+0x1f/0x90 [cxl_core], CPU#1: sh/77',
    'RIP: 0010:cxl_region_probe.cold+0x1f/0x90 [cxl_core]',
    ...trace('really_probe'),
    '---[ end trace 0000000000000000 ]---',
  ];

  it('has one fingerprint on kernels that print PID and CPU before the place and after it', () => {
    const older = stamped(warning).replace(
      /WARNING: .*/,
      'WARNING: CPU: 1 PID: 77 at drivers/cxl/core/region.c:10 cxl_region_probe.cold+0x1f/0x90 [cxl_core]',
    );
    const [first, second] = [...findSplats(stamped(warning)), ...findSplats(older)];
    expect(first?.title).toBe('WARNING: at drivers/cxl/core/region.c:10 in cxl_region_probe');
    expect(second).toMatchObject({
      title: first?.title,
      fingerprint: 'warning: cxl_region_probe < really_probe',
    });
  });

  it('survives lines of other writers and of another CPU in between', () => {
    const lines = stamped(warning).split('\n');
    lines.splice(6, 0, 'login: someone typed this', '[   12.006500] cxl_mem mem1: another CPU speaks');
    const [splat] = findSplats(lines.join('\n'));
    expect(splat?.fingerprint).toBe('warning: cxl_region_probe < really_probe');
    expect(splat?.text).toContain('---[ end trace');
  });

  it('is found when the log begins in its middle or ends before it does', () => {
    const cut = stamped(warning).split('\n');
    expect(findSplats(cut.slice(1).join('\n'))).toHaveLength(1);
    expect(findSplats(cut.slice(0, 6).join('\n'))).toHaveLength(1);
    expect(findSplats(cut.slice(0, 1).join('\n'))).toHaveLength(0);
  });

  it('is one of two when two come right after each other', () => {
    expect(findSplats(stamped([...warning, ...warning]))).toHaveLength(2);
  });

  it('is allowed by a regular expression on its title', () => {
    const [splat] = findSplats(stamped(warning));
    expect(splat && isAllowed(splat, ['list_add', 'region\\.c:\\d+ in cxl_region_probe$'])).toBe(true);
    expect(splat && isAllowed(splat, ['region_remove'])).toBe(false);
    expect(splat && isAllowed(splat, [])).toBe(false);
  });
});

describe('no splat is', () => {
  it.each([
    'clocksource: Watchdog remote CPU 1 read timed out',
    "clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable because the skew is too large:",
    'INFO: NMI handler (nmi_cpu_backtrace_handler) took too long to run: 80.095 msecs',
    'perf: interrupt took too long (2501 > 2500), lowering kernel.perf_event_max_sample_rate to 79750',
    'Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!',
    'Kernel command line: console=ttyS0 panic=-1 oops=panic',
    'kmem dax0.0: mapping0: 0x5d0000000-0x5efffffff stuck online until reboot',
    'rcu: Hierarchical RCU implementation.',
    'WARNING: this is what a driver says in its own words',
    'INFO: lockdep is turned off.',
    'ODEBUG: selftest passed',
    'sh: echo "BUG: not by the kernel"',
  ])('%s', (line) => {
    expect(findSplats(stamped([line, 'and so on']))).toEqual([]);
  });

  it('but what has lost its title is one', () => {
    const lines = ['------------[ cut here ]------------', ' frobnicate+0x1/0x2', '---[ end trace 0 ]---'];
    expect(findSplats(stamped(lines)).map(({ title }) => title)).toEqual([
      'a report of the kernel that lost its first lines in frobnicate',
    ]);
  });

  it('anything in random text, and nothing makes the search fail', () => {
    const parts = [
      'BUG: ',
      'WARNING: ',
      '------------[ cut here ]------------',
      '---[ end trace ]---',
      'Call Trace:',
      ' </TASK>',
      '\n',
      '\r',
      ' f+0x1/0x2',
      'Oops: 0 [#1]',
      'x',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts)), (text) => {
        for (const splat of findSplats(text.join(''))) expect(splat.title).not.toBe('');
      }),
    );
  });
});
