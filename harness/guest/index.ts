export * from './guest.js';
export { bootGuest, type BootOptions } from './boot.js';
export { startGuest, type StartOptions } from './start.js';
export type { BootPhase } from './come-up.js';
export { chooseAccelerator, probeKvm, type AcceleratorChoice, type KvmFinding } from './accelerator.js';
export { qemuVersion, type QemuVersion } from './qemu-version.js';
export { attachTerminal, sshCommand, type Terminal } from './terminal.js';
