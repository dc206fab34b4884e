import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Firefox that is driven by Marionette (firefox-source-docs.mozilla.org/testing/marionette/Protocol.html). */
export interface Firefox {
  readonly navigate: (url: string) => Promise<void>;
  /** What a function's text gives in the page: `return document.title`. */
  readonly run: (script: string) => Promise<unknown>;
  /** Asks until a script gives something. */
  readonly until: (script: string) => Promise<unknown>;
  /** Errors that pages have written to the console, or thrown. */
  readonly complaints: () => readonly string[];
  readonly close: () => Promise<void>;
}

const settings: Readonly<Record<string, boolean | number | string>> = {
  "marionette.port": 0, // any that is free; it is written into the profile
  "browser.dom.window.dump.enabled": true,
  "devtools.console.stdout.content": true,
  "app.update.enabled": false,
  "browser.startup.homepage": "about:blank",
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.enabled": false,
};

/** The browser's own modules complain too: of what their remote settings (RSLoader) are without, and at resource://. */
const complaint = /^(JavaScript error: http|console\.error: (?!RSLoader))/;

const patienceMilliseconds = 60_000;

/** Starts a headless Firefox with a profile of its own. */
export async function startFirefox(path: string): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), "fusemax-firefox-"));
  const lines = Object.entries(settings).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  const browser = spawn(path, ["--headless", "--marionette", "--no-remote", "--profile", profile, "about:blank"]);
  let said = "";
  for (const stream of [browser.stdout, browser.stderr]) stream.on("data", (data: Buffer) => (said += data.toString()));
  const end = async (): Promise<void> => {
    await ended(browser);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const portFile = join(profile, "MarionetteActivePort");
    const port = await eventually(() => (existsSync(portFile) ? Number(readFileSync(portFile, "utf8")) || null : null));
    const client = new Marionette(connect(port, "127.0.0.1"));
    await client.send("WebDriver:NewSession", {});
    const run = async (script: string): Promise<unknown> => {
      const { value } = (await client.send("WebDriver:ExecuteScript", { script, args: [] })) as {
        readonly value: unknown;
      };
      return value;
    };
    return {
      navigate: async url => void (await client.send("WebDriver:Navigate", { url })),
      run,
      until: script => eventually(() => run(script), script),
      complaints: () => said.split("\n").filter(line => complaint.test(line)),
      close: async () => {
        client.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw new Error(`Firefox did not start: ${said.slice(-2000)}`, { cause: error });
  }
}

async function eventually<T>(
  ask: () => T | null | Promise<T | null>,
  what = "Firefox's port",
): Promise<NonNullable<T>> {
  const start = performance.now();
  for (;;) {
    const got = await ask();
    if (got !== null && got !== undefined && got !== false) return got;
    if (performance.now() - start > patienceMilliseconds) throw new Error(`nothing came of: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function ended(browser: ChildProcess): Promise<void> {
  if (browser.exitCode !== null) return;
  const gone = new Promise(resolve => browser.once("exit", resolve));
  browser.kill();
  await gone;
}

type Reply = readonly [type: 1, id: number, error: { readonly message: string } | null, result: unknown];

/** Messages are JSON with their length in front: `23:[0,1,"WebDriver:…",{}]`. */
class Marionette {
  private buffer = Buffer.alloc(0);
  private id = 0;
  private readonly waiting = new Map<number, (reply: Reply) => void>();

  constructor(private readonly socket: Socket) {
    socket.on("data", data => {
      this.buffer = Buffer.concat([this.buffer, data]);
      for (let message = this.next(); message !== null; message = this.next())
        this.take(JSON.parse(message) as unknown);
    });
  }

  send(command: string, parameters: object): Promise<unknown> {
    this.id += 1;
    const id = this.id;
    const text = JSON.stringify([0, id, command, parameters]);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ([, , error, result]) =>
        error === null ? resolve(result) : reject(new Error(`${command}: ${error.message}`)),
      );
      this.socket.write(`${Buffer.byteLength(text)}:${text}`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  /** The next whole message, or null. */
  private next(): string | null {
    const colon = this.buffer.indexOf(":");
    if (colon < 0) return null;
    const end = colon + 1 + Number(this.buffer.subarray(0, colon).toString());
    if (this.buffer.length < end) return null;
    const message = this.buffer.subarray(colon + 1, end).toString();
    this.buffer = this.buffer.subarray(end);
    return message;
  }

  private take(message: unknown): void {
    if (!Array.isArray(message)) return; // the greeting
    const reply = message as unknown as Reply;
    this.waiting.get(reply[1])?.(reply);
    this.waiting.delete(reply[1]);
  }
}
