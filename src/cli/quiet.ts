/** Keeps warnings of Node and of libraries, and what libraries print when asked to by a variable, off the terminal. */
export function keepLibrariesQuiet(): void {
  process.removeAllListeners("warning");
  // The YAML library prints its tokens where these are set.
  delete process.env["LOG_STREAM"];
  delete process.env["LOG_TOKENS"];
}
