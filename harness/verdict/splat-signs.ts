/** What kind of complaint a splat is; reports group by it. */
export type SplatKind =
  | 'warning'
  | 'bug'
  | 'oops'
  | 'panic'
  | 'kasan'
  | 'kcsan'
  | 'kmsan'
  | 'kfence'
  | 'ubsan'
  | 'lockdep'
  | 'rcu-stall'
  | 'hung-task'
  | 'soft-lockup'
  | 'hard-lockup'
  | 'workqueue-lockup'
  | 'oom-kill'
  | 'refcount'
  | 'debug-objects'
  | 'list-corruption'
  | 'slab'
  | 'page-state'
  | 'atomic-sleep'
  | 'stack-protector'
  | 'usercopy'
  | 'fortify'
  | 'kmemleak';

/** How the first line of a splat looks, after timestamp and the like were taken off. */
export interface SplatSign {
  readonly kind: SplatKind;
  readonly pattern: RegExp;
}

/** In order: the first that matches decides. Sources are named by the function that prints the line. */
export const SPLAT_SIGNS: readonly SplatSign[] = [
  { kind: 'kasan', pattern: /^BUG: KASAN: / },
  { kind: 'kcsan', pattern: /^BUG: KCSAN: / },
  { kind: 'kmsan', pattern: /^BUG: KMSAN: / },
  { kind: 'kfence', pattern: /^BUG: KFENCE: / },
  { kind: 'ubsan', pattern: /^UBSAN: \S+ in / },
  // kernel/locking/lockdep.c and kernel/rcu: print_circular_bug, print_deadlock_bug, lockdep_rcu_suspicious...
  {
    kind: 'lockdep',
    pattern:
      /^(?:WARNING|BUG|INFO|\[ BUG): (?:possible (?:circular|recursive|irq lock|deadlock)|inconsistent lock state|held lock freed|lock held when returning|suspicious RCU usage|bad unlock balance|bad contention|Nested lock|\S+-safe -> \S+-unsafe|Invalid wait context|invalid wait context|process still has locks|trying to register non-static key|MAX_LOCK)/,
  },
  { kind: 'lockdep', pattern: /^DEBUG_LOCKS_WARN_ON\(/ },
  // lib/list_debug.c
  { kind: 'list-corruption', pattern: /^(?:list_(?:add|del)|slist\w*) corruption/ },
  { kind: 'refcount', pattern: /^refcount_t: / },
  { kind: 'debug-objects', pattern: /^ODEBUG: (?!Out of memory|selftest)/ },
  { kind: 'usercopy', pattern: /^usercopy: Kernel memory \w+ attempt detected/ },
  { kind: 'fortify', pattern: /^(?:detected buffer overflow in |\S+: detected buffer overflow)/ },
  // mm/slub.c: slab_bug
  { kind: 'slab', pattern: /^(?:=+ *)?(?:slub: )?BUG \S+ \(.*\): / },
  { kind: 'page-state', pattern: /^BUG: Bad (?:page state|page map|page cache|rss-counter)/ },
  { kind: 'atomic-sleep', pattern: /^BUG: (?:scheduling while atomic|sleeping function called)/ },
  // kernel/watchdog.c, kernel/workqueue.c, kernel/hung_task.c, kernel/rcu/tree_stall.h
  { kind: 'soft-lockup', pattern: /^(?:watchdog: )?BUG: soft lockup/ },
  {
    kind: 'hard-lockup',
    pattern: /^(?:(?:NMI )?watchdog: )?(?:CPU\d+: )?Watchdog detected hard LOCKUP/,
  },
  { kind: 'workqueue-lockup', pattern: /^BUG: workqueue lockup/ },
  { kind: 'hung-task', pattern: /^INFO: task .+ blocked (?:in I\/O wait )?for more than \d+ seconds/ },
  {
    kind: 'rcu-stall',
    pattern: /^(?:rcu: )?INFO: rcu\w* (?:self-)?detected (?:expedited )?stalls?(?: on)?/,
  },
  { kind: 'oom-kill', pattern: /^.{1,64} invoked oom-killer: / },
  { kind: 'oom-kill', pattern: /^(?:Memory cgroup out of memory|Out of memory)[^:]*: Killed process/ },
  { kind: 'stack-protector', pattern: /^Kernel panic - not syncing: stack-protector: / },
  { kind: 'panic', pattern: /^Kernel panic - not syncing: / },
  { kind: 'kmemleak', pattern: /^kmemleak: \d+ new suspected memory leaks/ },
  // arch/x86/mm/fault.c, arch/x86/kernel/traps.c and dumpstack.c, and arm64's
  { kind: 'oops', pattern: /^BUG: (?:kernel NULL pointer dereference|unable to handle)/ },
  { kind: 'oops', pattern: /^BUG: .*stack guard page was hit/ },
  { kind: 'oops', pattern: /^(?:Oops: )?general protection fault[,:]/ },
  { kind: 'oops', pattern: /^Unable to handle kernel / },
  { kind: 'bug', pattern: /^kernel BUG at / },
  { kind: 'oops', pattern: /^(?:Internal error: )?Oops\b.*\[#\d+\]/ },
  {
    kind: 'oops',
    pattern:
      /^(?:traps: )?(?:PANIC: )?(?:double fault|stack segment|divide error|invalid opcode|int3|segment not present|alignment check|control protection)\b.*(?:\[#\d+\]|error_code)/,
  },
  // kernel/panic.c:__warn; a pr_warn that begins with "WARNING:" names no place in the source
  { kind: 'warning', pattern: /^WARNING: (?:CPU: \d+ PID: \d+ at |\S+:\d+ at )/ },
  { kind: 'bug', pattern: /^BUG: (?:spinlock|rwlock|using \S+ in preemptible|non-zero|\w)/ },
];

/** Lines that open a splat without saying yet what it is about. */
export const OPENING = /^-{4,}\[ cut here \]-{4,}$/;

/** Lines after which nothing of the splat follows. */
export const CLOSING = /^---\[ end (?:trace|Kernel panic)/;

/** Between two of these a report of KASAN, KCSAN, KFENCE, SLUB or lockdep stands. */
export const RULER = /^[=-]{20,}$/;
