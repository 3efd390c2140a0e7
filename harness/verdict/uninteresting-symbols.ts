/**
 * Functions that a stack trace passes on its way to any splat: how the kernel reports, sleeps, takes locks and enters.
 * They say nothing about whose fault it is and are left out of fingerprints. Matched as a whole, without
 * the compiler's suffixes (.isra.0, .cold).
 */
export const UNINTERESTING_SYMBOLS: readonly RegExp[] = [
  // reporting
  /^(_+)?dump_stack(_lvl)?$/,
  /^show_(stack|regs|trace_log_lvl).*$/,
  /^_*warn(_slowpath.*|_printk|_thunk.*)?$/,
  /^(report|handle|fixup)_(bug|exception)$/,
  /^(exc|asm_exc|sysvec|asm_sysvec|__sysvec)_.*$/,
  /^(die|__die|oops_(begin|end)|die_body|page_fault_oops|kernelmode_fixup_or_oops)$/,
  /^(do_user_addr_fault|do_kern_addr_fault|bad_area.*|no_context|__bad_area.*|do_error_trap|do_trap.*)$/,
  /^(v?panic|check_panic_on_warn|nmi_panic|panic_print.*)$/,
  /^(kasan|__kasan|__asan|kcsan|__tsan|kfence|kmsan|__msan)_.*$/,
  /^(print_address_description|print_report|check_region_inline|end_report|check_memory_region)$/,
  /^(__ubsan_handle|ubsan)_.*$/,
  /^(refcount_warn_saturate|refcount_dec_not_one)$/,
  /^__list_(add|del_entry)_valid.*$/,
  /^(debug_print_object|(__)?debug_check_no_obj_freed|debug_object_.*)$/,
  /^(bad_page|free_page_is_bad.*|check_new_page_bad|object_err|(__)?slab_(err|pad_check|bug|fix)|warn_free_bad_obj|free_to_partial_list|print_trailer|check_bytes_and_report|free_consistency_checks)$/,
  /^(usercopy_abort|__check_object_size|__check_heap_object|__fortify_(report|panic)|__stack_chk_fail)$/,
  /^__might_(sleep|resched|fault)$/,
  /^(lock|__lock)_(acquire|release).*$/,
  /^(print|check|validate|mark)_(circular_bug.*|deadlock.*|noncircular|prev.*|chain.*|usage.*|lock.*|irq.*|bad.*|unlock.*)$/,
  /^(lockdep_.*|debug_check_no_locks_(freed|held))$/,
  /^(nmi_cpu_backtrace.*|nmi_trigger_cpumask_backtrace|trigger_.*_backtrace|rcu_dump_cpu_stacks.*|print_cpu_stall.*|rcu_sched_clock_irq|watchdog(_timer_fn)?|watchdog_overflow_callback|watchdog_hardlockup_check)$/,
  /^(dump_header|oom_kill_process|out_of_memory|__alloc_pages_may_oom)$/,
  /^(__handle_sysrq|write_sysrq_trigger)$/,
  // getting memory and giving it back
  /^(__)?free_(frozen_|unref_)?(page|pages|folio|folios)(_.*)?$/,
  /^(__)?(alloc|folio_alloc)_(frozen_)?(pages|mpol|noprof)(_.*)?$/,
  /^(k[vz]?v?free(_sensitive)?|kmem_cache_free|(__|do_)?slab_free.*)$/,
  // sleeping and taking locks
  /^(__|preempt_)?schedule(_timeout.*|_preempt_disabled|_idle|_hrtimeout.*|_bug)?$/,
  /^(io_schedule.*|preempt_schedule.*|[mu]sleep(_.*)?|usleep_range.*|fsleep)$/,
  /^(__|ww_)?(mutex|rt_mutex|rwsem|down|up|semaphore)_?(lock|read|write|down|killable|interruptible|slowlock|common)?(_.*)?$/,
  /^(__)?wait_for_(completion|common)(_.*)?$/,
  /^_raw_(spin|read|write)_.*$/,
  /^(native|__pv)_queued_spin_lock_slowpath$/,
  // time, interrupts, entry
  /^(hrtimer_|__hrtimer_|tick_|update_process_times|call_timer_fn|__run_timers|run_timer_.*|handle_softirqs|__do_softirq|__irq_exit_rcu|irq_exit_rcu)(.*)?$/,
  /^(do_syscall_64|entry_SYSCALL_64.*|x64_sys_call|entry_INT80.*|__x64_sys_.*|__do_sys_.*|__se_sys_.*|ksys_.*)$/,
  /^(ret_from_fork.*|kthread|worker_thread|process_one_work|process_scheduled_works)$/,
  /^(common_startup_64|secondary_startup_64.*|start_secondary|start_kernel|x86_64_start_.*)$/,
];
