export * from './guest.js';
export { bootGuest } from './start/boot.js';
export { startGuest } from './start/start.js';
export { prepareGdb } from './gdb.js';
export { chooseAccelerator } from './start/accelerator.js';
export { qemuVersion } from './start/qemu-version.js';
export { attachTerminal, sshCommand } from './transport/terminal.js';
