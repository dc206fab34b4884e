#!/usr/bin/env node
// Read by whatever Node there is: nothing but old syntax, and nothing imported before the version is known.
const least = [20, 19];
const version = process.version;
const [major, minor] = version.slice(1).split(".").map(Number) as [number, number];
if (major < (least[0] as number) || (major === least[0] && minor < (least[1] as number))) {
  process.stderr.write(
    `fusemax: got Node ${version}; expected Node ${least.join(".")} or newer; see https://nodejs.org\n`,
  );
  process.exitCode = 2;
} else {
  import("./start.js").catch((error: unknown) => {
    // Before anything of the program runs: a part of the installation is missing.
    const [line = ""] = String(error).split("\n");
    process.stderr.write(
      `fusemax: got a package that does not load (${line}); expected the whole of it; install it again\n`,
    );
    process.exitCode = 2;
  });
}
