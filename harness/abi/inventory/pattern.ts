const LETTERS = ['X', 'Y', 'Z'];

/**
 * A path with letters for the numbers that a kernel hands out, as its documentation writes them:
 * `/sys/bus/cxl/devices/decoder0.1/target_list` -> `.../decoderX.Y/target_list`. Of a device's attributes only those
 * that count up have numbers to replace: `target0`, `dport1`, `mapping0`.
 */
export function patternOf(path: string): string {
  const [, head = '', device, rest = ''] = DEVICE.exec(path) ?? [];
  if (device === undefined) return path;
  return `${PLACE[head] ?? head}${lettered(device)}${rest.replace(COUNTED, '$1X')}`;
}

const DEVICE = /^(\/sys\/bus\/\w+\/devices\/|\/sys\/devices\/system\/memory\/(?=memory\d))([^/]+)(.*)$/;

/** Memory blocks are documented where they really are. */
const PLACE: Readonly<Record<string, string>> = {
  '/sys/bus/memory/devices/': '/sys/devices/system/memory/',
};

const COUNTED =
  /(?<=\/)(target|dport|mapping|node|access|format|nmem|namespace|region|port|endpoint|decoder)\d+(?:\.\d+)*(?=\/|$)/g;

/** `decoder0.1` -> `decoderX.Y`; numbers of a name that is an address are one. */
function lettered(name: string): string {
  let next = 0;
  return name.replace(/\d+/g, () => LETTERS[next++] ?? 'N');
}
