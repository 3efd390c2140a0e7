/**
 * A line in the words of the kernel under test. Scenarios write paths with the names of the proposal; where a kernel
 * has others, its profile's `abi` says so: for drivers and modes by their name (`sysram_region: cxl_sysram_region`,
 * `dc: dynamic_ram_1`), for other parts of paths by the part (`sysram_region/hotplug: memory/policy`).
 */
export function withNamesOfKernel(abi: Readonly<Record<string, string>>, line: string): string {
  const withDrivers = line.replace(
    /(\/sys\/bus\/[a-z]+\/drivers\/)([\w-]+)/g,
    (_, place: string, driver: string) => `${place}${abi[driver] ?? driver}`,
  );
  const withModes = withDrivers.replace(
    /(\becho )([\w-]+)(?= > \S*\/mode\b)/g,
    (_, before: string, mode: string) => `${before}${abi[mode] ?? mode}`,
  );
  return Object.entries(abi)
    .filter(([name]) => name.includes('/'))
    .reduce((text, [name, other]) => text.replaceAll(`/${name}`, `/${other}`), withModes);
}
