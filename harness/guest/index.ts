export * from './guest.js';
export { bootGuest } from './boot.js';
export { startGuest } from './start.js';
export { prepareGdb } from './gdb.js';
export { chooseAccelerator } from './accelerator.js';
export { qemuVersion } from './qemu-version.js';
export { attachTerminal, sshCommand } from './terminal.js';
