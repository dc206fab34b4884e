import { isMainThread } from "node:worker_threads";
import type { AdapterKind } from "../emulator/webgpu/variant.js";
import { DeviceError } from "../errors.js";
import { installedSwiftShader, type SwiftShader, swiftShaderPackage } from "./swiftshader.js";
import { chosenDrivers, hasDriver, hasLoader, keepLoader, withDriver } from "./vulkan.js";

/** A WebGPU adapter of this machine. */
export interface Adapter {
  /** Vendor, architecture and driver as Dawn describes them. */
  readonly name: string;
  readonly kind: AdapterKind;
  /** True when Dawn says that it is no fallback adapter. */
  readonly hardware: boolean;
  /** Whether it is the SwiftShader of an installed npm package rather than one of the system's. */
  readonly bundled: boolean;
  readonly info: GPUAdapterInfo;
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
  /** Opens a device with the adapter's own limits, as often as is wanted; with more features where it has them. */
  requestDevice(features?: readonly GPUFeatureName[]): Promise<GPUDevice>;
}

export interface AdapterListing {
  readonly adapters: readonly Adapter[];
  /** What was missing on the way, and what would fix it. */
  readonly notes: readonly string[];
}

/**
 * Dawn's instances, by the drivers that they see. An instance that is collected as garbage takes the process with it
 * (exit 139), so they are kept for as long as the process lives, and used again.
 */
const instances = new Map<string, GPU>();

/** @throws DeviceError when Dawn's native addon does not load. */
async function instanceFor(drivers: string): Promise<GPU> {
  const { create, globals } = await loadDawn();
  const known = instances.get(drivers);
  if (known !== undefined) return known;
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const instance = create([]);
  instances.set(drivers, instance);
  return instance;
}

/** The addon is built for one libc and needs memory that may be executed: not every machine that runs Node has both. */
async function loadDawn(): Promise<typeof import("webgpu")> {
  try {
    return await import("webgpu");
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const got = `an addon that does not load (${said.replace(/\s+/g, " ").trim().slice(0, 300)})`;
    const expected = "the npm package webgpu, built for this system";
    throw new DeviceError({ where: "WebGPU", got, expected, fix: "the other engines need no addon" }, { cause });
  }
}

/**
 * Lists the adapters: the system's (or those of VK_ICD_FILENAMES, when it is set), then an installed SwiftShader
 * unless `bundled` is false. Never Dawn's Null backend, which answers everything with zeros.
 * @throws DeviceError when there are drivers, but Dawn's native addon does not load.
 * @example
 * ```ts
 * import { listAdapters } from "fusemax/node";
 *
 * const { adapters } = await listAdapters();
 * for (const { name, hardware } of adapters) console.error(name, hardware ? "hardware" : "software");
 * ```
 */
export async function listAdapters({ bundled = true } = {}): Promise<AdapterListing> {
  const notes: string[] = [];
  const { swiftShader, missing } = bundled || chosenDrivers() !== null ? softwareDriver() : noSwiftShader;
  if (!hasLoader()) {
    const why = swiftShader === null ? missing : keepLoader(swiftShader.loader);
    if (why !== null) {
      const fix = "install libvulkan1 and a GPU driver (Debian: mesa-vulkan-drivers)";
      notes.push(`no Vulkan loader (libvulkan.so.1): ${fix}`);
      notes.push(swiftShader === null ? why : `SwiftShader cannot be loaded (${why})`);
      return { adapters: [], notes };
    }
  }
  const adapters: Adapter[] = [];
  if (hasDriver()) adapters.push(...(await adaptersOf(await instanceFor(chosenDrivers() ?? "the system's"), false)));
  else notes.push("no Vulkan driver: install the GPU's driver (Debian: mesa-vulkan-drivers)");
  if (!bundled) return { adapters, notes };
  const drivers = chosenDrivers();
  if (drivers !== null) {
    if (adapters.length === 0) notes.push(`VK_ICD_FILENAMES is set to ${drivers}, which gives no adapter`);
  } else if (swiftShader === null) {
    notes.push(missing);
  } else if (isMainThread) {
    const instance = await instanceFor(swiftShader.manifest);
    adapters.push(...(await withDriver(swiftShader.manifest, () => adaptersOf(instance, true))));
  } else {
    notes.push("SwiftShader can be opened from the main thread only");
  }
  return { adapters, notes };
}

const noSwiftShader = {
  swiftShader: null,
  missing: `no SwiftShader: npm install ${swiftShaderPackage} beside fusemax brings a software adapter that needs neither (Linux x86-64)`,
};

/** SwiftShader, or what to say of its absence. */
function softwareDriver(): { readonly swiftShader: SwiftShader | null; readonly missing: string } {
  try {
    return { ...noSwiftShader, swiftShader: installedSwiftShader() };
  } catch (error) {
    const why = (error as Error).message;
    const fix = `it has to be that of ${swiftShaderPackage}; files are unpacked in XDG_CACHE_HOME or TMPDIR`;
    return { swiftShader: null, missing: `SwiftShader cannot be used (${why}): ${fix}` };
  }
}

/** The distinct adapters that an instance offers for its power preferences. */
async function adaptersOf(instance: GPU, bundled: boolean): Promise<Adapter[]> {
  const fast = await instance.requestAdapter({ powerPreference: "high-performance" });
  const frugal = await instance.requestAdapter({ powerPreference: "low-power" });
  const found: Adapter[] = [];
  if (fast !== null) found.push(describe(instance, fast, "high-performance", "discrete", bundled));
  if (frugal !== null && (fast === null || nameOf(fast.info) !== nameOf(frugal.info))) {
    found.push(describe(instance, frugal, "low-power", "integrated", bundled));
  }
  return found;
}

function describe(
  instance: GPU,
  { info, features, limits }: GPUAdapter,
  powerPreference: GPUPowerPreference,
  kindOfHardware: AdapterKind,
  bundled: boolean,
): Adapter {
  const name = nameOf(info);
  const hardware = !info.isFallbackAdapter;
  const kind = hardware ? kindOfHardware : "software";
  const requestDevice = async (wanted: readonly GPUFeatureName[] = []): Promise<GPUDevice> => {
    // An adapter gives one device, so each device comes from an adapter of its own.
    const adapter = await instance.requestAdapter({ powerPreference });
    if (adapter === null) {
      throw new DeviceError({
        where: "WebGPU",
        got: `no adapter any more (${name})`,
        expected: "the adapter found before",
      });
    }
    return openDevice(adapter, wanted);
  };
  return { name, kind, hardware, bundled, info, features, limits, requestDevice };
}

function nameOf(info: GPUAdapterInfo): string {
  const words = [info.vendor, info.architecture, info.description || info.device];
  return words.filter(word => word !== "").join(" ");
}

/** The limits that the kernels gain from; all others stay at WebGPU's defaults. */
const wantedLimits = ["maxStorageBufferBindingSize", "maxBufferSize", "maxComputeWorkgroupStorageSize"] as const;

/** Opens a device with all of the memory limits that the adapter has, and with subgroups and `wanted` where it has them. */
export function openDevice(adapter: GPUAdapter, wanted: readonly GPUFeatureName[] = []): Promise<GPUDevice> {
  const features = new Set<GPUFeatureName>(["subgroups", ...wanted]);
  return adapter.requestDevice({
    requiredFeatures: [...features].filter(name => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(wantedLimits.map(name => [name, adapter.limits[name]])),
  });
}
