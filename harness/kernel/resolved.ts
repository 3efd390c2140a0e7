/** A kernel that is ready to boot: what a profile became after fetching or building. */
export interface ResolvedKernel {
  /** the profile's name, as `--kernel` takes it */
  readonly profile: string;
  /** content hash: two kernels with one id are the same kernel */
  readonly id: string;
  /** `uname -r` */
  readonly release: string;
  /** absolute path given to QEMU's -kernel: an uncompressed ELF (boots by PVH) where possible, else a bzImage */
  readonly image: string;
  readonly format: 'elf' | 'bzimage';
  /** absolute path of .../lib/modules/<release>, readable, with modules.dep made */
  readonly modulesDir: string;
  /** absolute path of the kernel's .config */
  readonly config: string;
  /** additions of the profile to the kernel command line, one option an element */
  readonly cmdline: readonly string[];
  /** the profile's names of things of the ABI which differ between kernels: `sysram_region` -> `cxl_sysram_region` */
  readonly abi: Readonly<Record<string, string>>;
  /** where it comes from, for people and for run.json: package and version, or tree, revision and patches */
  readonly origin: string;
  /** what it is built from before patches; absent for what was not built here */
  readonly source?: string;
  /** what is applied to it, in order; the hash is of the changes alone */
  readonly series?: { readonly hash: string; readonly patches: readonly string[] };
  /** times as long as other kernels it takes, for waiting on it; absent: 1 */
  readonly slowness?: number;
  /** hash of its .config */
  readonly configHash?: string;
}
