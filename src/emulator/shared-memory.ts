/** Memory that threads share; of the one thread's own in pages whose server does not set the headers that allow sharing. */
export const sharedMemory = (byteLength: number): ArrayBuffer | SharedArrayBuffer =>
  typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(byteLength) : new SharedArrayBuffer(byteLength);

export const isShared = (buffer: ArrayBufferLike): boolean =>
  typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
