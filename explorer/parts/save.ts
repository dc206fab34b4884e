/** Hands text to the visitor as a file. */
export const save = (name: string, type: string, content: BlobPart): void =>
  saveBlob(name, new Blob([content], { type }));

/** Hands the visitor a file of bytes. */
export const saveParts = (name: string, parts: Iterable<ArrayBufferView>): void =>
  saveBlob(name, new Blob([...parts] as BlobPart[], { type: "application/octet-stream" }));

function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
