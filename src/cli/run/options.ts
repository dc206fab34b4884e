import type { Layout } from "../../attention/layout.js";
import type { Tile } from "../../attention/tile.js";
import type { Shard } from "../../io/shard-file.js";
import type { ArithmeticOptions } from "../arithmetic.js";
import type { AccountingOptions } from "../model/options.js";
import type { CheckRows } from "../values.js";
import type { CacheOptions } from "./cache.js";
import type { InputOptions } from "./input-files.js";
import type { ScaleOptions } from "./scale-files.js";
import type { ScoreOptions } from "./score-files.js";
import type { ScoresOption } from "./scores-option.js";
import type { WorkloadOptions } from "./workload.js";

export const engineChoices = ["auto", "webgpu", "wasm", "cpu"] as const;

/** The paper's array. */
export const publishedArray: Tile = { m0: 256, p0: 256 };

/** What `fusemax run` was asked for. */
export interface RunOptions
  extends WorkloadOptions,
    InputOptions,
    CacheOptions,
    ScaleOptions,
    ScoreOptions,
    AccountingOptions,
    ArithmeticOptions {
  readonly design: string;
  readonly cascade?: string;
  readonly array?: Tile;
  /** Runs of key tiles that are merged at the end. */
  readonly kvSplits?: number;
  readonly scale?: number;
  readonly engine: (typeof engineChoices)[number];
  readonly seed?: number;
  readonly spread?: number;
  /** A model of ONNX that is one Attention node, in the place of inputs and mask. */
  readonly onnx?: string;
  /** The folder of its test data. */
  readonly onnxData?: string;
  /** Run each attention that --input holds. */
  readonly everyLayer?: boolean;
  /** How input files, and --output, keep their ranks. */
  readonly layout?: Layout;
  /** How --output keeps them, where it is another way. */
  readonly outputLayout?: Layout;
  readonly output?: string;
  /** Where the log-sum-exp of each row goes. */
  readonly lse?: string;
  /** Where scores go, and as what. */
  readonly scores?: ScoresOption;
  readonly check: CheckRows;
  readonly maxError?: number;
  readonly dumpTile?: { readonly b: number; readonly h: number; readonly m1: number; readonly p1: number };
  readonly dump?: string;
  readonly resume?: string;
  /** The part of the rows to do. */
  readonly shard?: Shard;
  readonly json?: boolean;
}
