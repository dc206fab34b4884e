import { DeviceError } from "../../errors.js";

/** How the host waits for the device, where awaiting alone would keep a core busy. */
export type HostWait = <T>(work: Promise<T>) => Promise<T>;

/**
 * Watches a device: WebGPU reports a lost device, an invalid command or exhausted memory beside the calls that caused
 * them, so every wait goes through `wait`, which turns them into a DeviceError.
 */
export class DeviceGuard {
  readonly device: GPUDevice;
  readonly #adapter: string;
  readonly #failed: Promise<never>;
  #failure: DeviceError | null = null;
  #closed = false;
  /** What is waited for, or null once nothing more is to be begun. */
  #waiting: Set<Promise<unknown>> | null = new Set();
  readonly #hostWait: HostWait;

  constructor(device: GPUDevice, adapter: string, hostWait: HostWait) {
    this.device = device;
    this.#adapter = adapter;
    this.#hostWait = hostWait;
    this.#failed = new Promise((_, reject) => {
      const fail = (got: string): void => {
        if (this.#closed || this.#failure !== null) return;
        this.#failure = this.#error(got);
        reject(this.#failure);
      };
      void device.lost.then(({ reason, message }) => fail(`device lost (${reason}): ${oneLine(message)}`));
      device.onuncapturederror = event => {
        event.preventDefault();
        fail(oneLine(event.error.message));
      };
    });
    this.#failed.catch(() => {}); // whoever waits gets it
  }

  /** Waits for work on the device, or throws what happened to it. */
  async wait<T>(work: Promise<T>): Promise<T> {
    if (this.#failure !== null) throw this.#failure;
    this.#waiting?.add(work);
    try {
      const result = await this.#hostWait(Promise.race([work, this.#failed]));
      if (this.#waiting === null) return await never;
      return result;
    } catch (error) {
      if (this.#waiting === null) return await never;
      // A lost device also rejects what was waiting on it, perhaps before it reports the loss.
      await new Promise(resolve => setTimeout(resolve, 0));
      if (this.#failure !== null) throw this.#failure;
      throw error instanceof DeviceError ? error : this.#error(oneLine(String(error)), error);
    } finally {
      this.#waiting?.delete(work);
    }
  }

  #error(got: string, cause?: unknown): DeviceError {
    const complaint = { where: `WebGPU adapter ${this.#adapter}`, got, expected: "the device to keep working" };
    return new DeviceError({ ...complaint, fix: "run again, or with --engine cpu" }, { cause });
  }

  /** Lets nothing more begin: whoever waits, waits for ever. Settles when all that was begun is done. */
  async halt(): Promise<void> {
    const begun = [...(this.#waiting ?? []), this.device.queue.onSubmittedWorkDone()];
    this.#waiting = null;
    await Promise.allSettled(begun);
  }

  close(): void {
    this.#closed = true;
    // Dawn's binding holds the handler for good, and through it the device with its threads and memory.
    this.device.onuncapturederror = null;
    this.device.destroy();
  }
}

const never = new Promise<never>(() => {});

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 300);
}
