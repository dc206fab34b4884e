import { howMany, shown } from "../../errors.js";
import type { SpecText } from "../document.js";
import { checkVersion, readTimeloop, type TimeloopNode } from "./node.js";

/** An architecture of Timeloop as a chain: each level is within the one before it; the array is within the last. */
export interface TimeloopArchitecture {
  readonly levels: readonly TimeloopLevel[];
  readonly array: string;
  readonly frequencyHz: number | undefined;
  readonly technology: string | undefined;
  /** Bits of a word: the outermost memory's. */
  readonly wordBits: number;
}

export type TimeloopLevel = TimeloopMemory | TimeloopFanout;

export interface TimeloopMemory {
  readonly kind: "dram" | "sram" | "registers";
  readonly name: string;
  readonly node: TimeloopNode;
  readonly depth: number | undefined;
  readonly rowWords: number;
  readonly wordBits: number;
  /** Words per cycle. */
  readonly bandwidth: Readonly<Partial<Record<"shared" | "read" | "write", number>>>;
  readonly doubled: boolean;
  /** What was taken for granted, and what was left out. */
  readonly guesses: readonly string[];
}

export interface TimeloopFanout {
  readonly kind: "fanout";
  /** What a mapping calls it: the container's, or the component's of which there are several. */
  readonly target: string;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly node: TimeloopNode;
}

/** Attributes that say nothing of counts: those of energy, area and layout. */
const quiet = new Set([
  "type",
  "n_banks",
  "n_ports",
  "n_rdwr_ports",
  "n_rd_ports",
  "n_wr_ports",
  "cluster_size",
  "block_size",
  "update_fifo_depth",
]);
const inherited = ["technology", "global_cycle_seconds", "version"];

/** Reads an architecture. Throws SpecError at what it has no counterpart for. */
export function readArchitecture(source: SpecText): TimeloopArchitecture {
  const root = readTimeloop(source, "architecture");
  checkVersion(root);
  root.only(["version", "nodes", "attributes"]);
  const chain = new Chain();
  chain.read(root.need("nodes"));
  const last = chain.components.at(-1);
  if (last === undefined) throw root.need("nodes").fail("no !Component", "memories and a unit that computes");
  const before = chain.order.slice(0, chain.order.indexOf(last));
  if (chain.order.at(-1) !== last) {
    throw (chain.order.at(-1) as Step).node.fail("a container with nothing in it", "the unit that computes last");
  }
  const levels: TimeloopLevel[] = [];
  for (const step of before) {
    const { node, spatial } = step;
    const name = node.need("name").name;
    if (spatial !== undefined) {
      levels.push({ kind: "fanout", target: name, name: step.isMemory ? `${name}_mesh` : name, node, ...spatial });
    }
    if (step.isMemory)
      levels.push(
        memory(
          node,
          levels.every(({ kind }) => kind === "fanout"),
        ),
      );
  }
  const array = last.node.need("name").name;
  if (last.spatial !== undefined) {
    levels.push({ kind: "fanout", target: array, name: `${array}_mesh`, node: last.node, ...last.spatial });
  }
  const [outermost] = levels;
  if (outermost === undefined || outermost.kind !== "dram") {
    throw root.need("nodes").unknown("several of the outermost memory, or none", "one outermost memory");
  }
  const innermost = levels.at(-1);
  if (innermost?.kind === "fanout") {
    throw innermost.node.unknown(`instances of ${array} at one memory`, "a memory, such as registers, at each of them");
  }
  const names = [...levels.map(level => level.name), array];
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw root.need("nodes").fail(`the name ${twice} twice`, "each once");
  checkComputes(last.node);
  const seconds = chain.attribute("global_cycle_seconds")?.positive;
  return {
    levels,
    array,
    frequencyHz: seconds === undefined ? undefined : 1 / seconds,
    technology: chain.attribute("technology")?.text,
    wordBits: outermost.wordBits,
  };
}

interface Step {
  readonly node: TimeloopNode;
  readonly isMemory: boolean;
  readonly spatial: { readonly x: number; readonly y: number } | undefined;
}

/** The nodes in their order, one within the other; what is side by side keeps tensors apart, in any order. */
class Chain {
  readonly order: Step[] = [];
  private readonly nodes: TimeloopNode[] = [];

  get components(): readonly Step[] {
    return this.order.filter(({ isMemory }) => isMemory);
  }

  read(nodes: TimeloopNode): void {
    for (const node of nodes.items) {
      const { tag } = node;
      if (tag === "Parallel" || tag === "Hierarchical") {
        node.only(["nodes"]);
        this.read(node.need("nodes"));
      } else if (tag === "Container" || tag === "Component") {
        const isMemory = tag === "Component";
        const own = isMemory ? ["class", "subclass", "required_actions", "enabled"] : [];
        node.only(["name", "attributes", "constraints", "spatial", ...own]);
        if (node.get("enabled")?.value === false)
          throw node.child("enabled").unknown("a component that is off", "none");
        this.nodes.push(node);
        const spatial = meshOf(node);
        if (isMemory || spatial !== undefined) this.order.push({ node, isMemory, spatial });
      } else {
        throw node.unknown(
          tag === undefined ? "a node without a tag" : `!${tag}`,
          "!Container, !Component, !Parallel or !Hierarchical",
        );
      }
    }
  }

  /** An attribute that nodes inherit: the first that says it. */
  attribute(name: string): TimeloopNode | undefined {
    for (const node of this.nodes) {
      const found = node.get("attributes")?.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function meshOf(node: TimeloopNode): Step["spatial"] {
  const spatial = node.get("spatial");
  if (spatial === undefined) return undefined;
  spatial.only(["meshX", "meshY"]);
  const [x, y] = [spatial.get("meshX")?.size ?? 1, spatial.get("meshY")?.size ?? 1];
  return x * y === 1 ? undefined : { x, y };
}

function memory(node: TimeloopNode, isOutermost: boolean): TimeloopMemory {
  const name = node.need("name").name;
  const attributes = node.get("attributes");
  const number = (key: string): number | undefined => attributes?.get(key)?.positive;
  const guesses: string[] = [];
  const kind = kindOf(node, isOutermost, guesses);
  const word = attributes?.get("datawidth")?.size;
  const wordBits = word ?? 16;
  if (word === undefined) guesses.push("guess: words of 16 bits; the file says none");
  const width = attributes?.get("width")?.size ?? wordBits;
  const depth = attributes?.get("depth")?.size;
  if (depth === undefined && kind !== "dram") throw (attributes ?? node).fail(`no depth of ${name}`, "depth: rows");
  if (width % wordBits !== 0) {
    throw (attributes ?? node).fail(`rows of ${howMany(width, "bit")}`, `whole words of ${howMany(wordBits, "bit")}`);
  }
  const buffers = number("multiple_buffering") ?? 1;
  if (![1, 2].includes(buffers))
    throw node.child("attributes").child("multiple_buffering").unknown(`${buffers} buffers`, "1 or 2");
  const counted = ["datawidth", "width", "depth", "multiple_buffering", ...inherited];
  const speeds = ["shared_bandwidth", "read_bandwidth", "write_bandwidth"];
  for (const key of attributes?.keys ?? []) {
    if (counted.includes(key) || speeds.includes(key)) continue;
    const { value } = (attributes as TimeloopNode).child(key);
    const isOff = value === false || value === null || value === 0;
    if (
      !quiet.has(key) &&
      !(isOff && key !== "reduction_supported") &&
      !(key === "reduction_supported" && value === true)
    ) {
      throw (attributes as TimeloopNode)
        .child(key)
        .unknown(key, `of attributes ${[...counted, ...speeds, ...quiet].join(", ")} alone`);
    }
    if (quiet.has(key)) guesses.push(`left out, as nothing here counts it: ${key}: ${shown(String(value))}`);
  }
  if (node.get("constraints") !== undefined) guesses.push("left out: constraints, which are the mapper's");
  const bandwidth = Object.fromEntries(
    speeds.flatMap(key => {
      const words = number(key);
      return words === undefined ? [] : [[key.replace("_bandwidth", ""), words]];
    }),
  );
  return {
    kind,
    name,
    node,
    depth: depth === undefined ? undefined : (depth * width) / wordBits,
    rowWords: width / wordBits,
    wordBits,
    bandwidth,
    doubled: buffers === 2,
    guesses,
  };
}

function kindOf(node: TimeloopNode, isOutermost: boolean, guesses: string[]): TimeloopMemory["kind"] {
  const words = [node.need("class").text, node.get("subclass")?.text ?? ""];
  const said = words.filter(word => word !== "").join(" ");
  const is = (pattern: RegExp): boolean => words.some(word => pattern.test(word));
  if (is(/metadata|network|router|noc/i))
    throw node.child("class").unknown(`the class ${said}`, "DRAM, buffers and registers");
  const isDram = is(/dram/i);
  if (isOutermost) {
    if (!isDram)
      guesses.push(
        `guess: ${said} is the outermost memory, and taken as one outside the chip, without a bound on its size`,
      );
    return "dram";
  }
  if (isDram) throw node.child("class").unknown("a DRAM within another memory", "one, the outermost");
  if (is(/sram|buffer/i) && !is(/smartbuffer_rf/i)) return "sram";
  if (is(/reg|rf/i)) return "registers";
  guesses.push(`guess: ${said} is a buffer`);
  return "sram";
}

/** What computes does one point of the problem a cycle, whatever it is called. */
function checkComputes(node: TimeloopNode): void {
  const latency = node.get("attributes")?.get("latency");
  if (latency !== undefined && latency.value !== 1)
    throw latency.unknown(`a latency of ${String(latency.value)}`, "a point a cycle");
}
