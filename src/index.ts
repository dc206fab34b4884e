/// <reference lib="dom" preserve="true" />
// The API names WebGPU's and workers' types, which users that compile for Node alone do not have.

/**
 * The public API that runs in Node and in browsers. `fusemax/node` adds files, threads and adapters. What is not
 * exported here or there is internal and changes without notice.
 * @module fusemax
 */

// Errors. The message says where, what is wrong and how to fix it.

export { type CascadeComplaint, CascadeError, type Source, type Span } from "./einsum/source.js";
export {
  type Complaint,
  DeviceError,
  FusemaxError,
  InputError,
  NumericsError,
  ResultError,
  SpecError,
  UsageError,
} from "./errors.js";

// Specs: designs, workloads and arithmetics from YAML.

export type { ArithmeticSpec, BlockDot, Dot, OperandSpec, Scale } from "./numerics/arithmetic.js";
export type { FloatSpec } from "./numerics/number-type.js";
export type { Architecture } from "./spec/architecture.js";
export type { DeclaredOperations } from "./spec/declared-operations.js";
export type { Design } from "./spec/design.js";
export type { SpecText } from "./spec/document.js";
export type { ElementRole } from "./spec/element-bits.js";
export {
  loadArithmetic,
  loadDesign,
  loadWorkload,
  type NamedSpec,
  type ReplacedParts,
  type SpecSource,
} from "./spec/load.js";
export type { Technology } from "./spec/technology.js";
export type { Experts, LayerKind, Projection, Workload } from "./spec/workload.js";

// Cascades of Einsums: parse, evaluate, analyse, derive, compare.

export type { ArithmeticChoice, ArithmeticName } from "./einsum/arithmetic.js";
export { type Cascade, parseCascade } from "./einsum/cascade.js";
export type { DerivationCaution, DerivationStep } from "./einsum/derive/derivation.js";
export type { Law, LawResult, Refusal, Rewrite } from "./einsum/derive/law.js";
export type { Measure } from "./einsum/derive/measure.js";
export { lawsFor } from "./einsum/derive/moves.js";
export {
  type Answer,
  type Derivation,
  deriveOver,
  type LawRefusal,
  type SearchOptions,
} from "./einsum/derive/search.js";
export {
  type CaseWithInputs,
  compareCascades,
  type Difference,
  type EqualCase,
  type EqualOptions,
  type EqualReport,
} from "./einsum/equal.js";
export {
  type EmptyQuotient,
  type EvaluatedCascade,
  type EvaluateOptions,
  type EvaluationProgress,
  evaluateCascade,
} from "./einsum/evaluate.js";
export type { Footprint } from "./einsum/footprint.js";
export type { Rank } from "./einsum/ranks.js";
export type { Shape } from "./einsum/shape.js";
export type { DenseTensor, WrittenTensor } from "./einsum/tensor-store.js";
export { type PassesOptions, type PassesReport, passesReport, type RankReport } from "./report/passes.js";
export { type TaxonomyRow, taxonomy } from "./report/taxonomy.js";
export {
  type TrafficPanel,
  type TrafficPoint,
  type TrafficStudy,
  type TrafficStudyRequest,
  trafficStudy,
} from "./report/traffic-study.js";

// The emulator: attention to the bit on an engine, and its error against float64.

export { type AttentionMask, noMask } from "./attention/mask.js";
export type { AttentionProblem, CascadeSource, Operands } from "./attention/problem.js";
export type { RowRange } from "./attention/rows.js";
export type { Division, ScoreChoice } from "./attention/score-terms.js";
export type { KeyMask, SequenceClass } from "./attention/sequences.js";
export type { AttentionShape, TensorShape } from "./attention/shape.js";
export type { Tile } from "./attention/tile.js";
export { type CheckOptions, type CheckResult, check, type ErrorWithWorst, sampleRows } from "./emulator/check.js";
export { type CpuOptions, cpuEngine } from "./emulator/cpu.js";
export { type Emulation, type EmulationOptions, emulate, type Progress } from "./emulator/emulate.js";
export type { Engine } from "./emulator/engine.js";
export type { ErrorSummary, WorstElement } from "./emulator/error-statistics.js";
export { generateNormal } from "./emulator/generate.js";
export type { Matrix } from "./emulator/golden/encode.js";
export type { OneHead } from "./emulator/golden/head.js";
export { type OneHeadResult, onePassAttention, type Saturated } from "./emulator/golden/one-pass.js";
export type { AttentionInputs, InputTensor } from "./emulator/operands.js";
export { type WasmEngineOptions, wasmEngine } from "./emulator/wasm/engine.js";
export type { WasmHost } from "./emulator/wasm/host.js";
export { type WebWasmHostOptions, webWasmHost } from "./emulator/wasm/web-host.js";
export { type WebGpuEngine, type WebGpuEngineOptions, webGpuEngine } from "./emulator/webgpu/engine.js";
export type { ShaderSource } from "./emulator/webgpu/kernel.js";
export type { AdapterKind } from "./emulator/webgpu/variant.js";
export { type Format, type FormatName, formatNames, formats } from "./numerics/format.js";
export { formatArithmetics } from "./numerics/format-of.js";
export { exponentFactor, type ProcessingElement, processingElement } from "./numerics/pe.js";
export type { Digest } from "./numerics/sha256.js";

// The schedule: the binding, cycle by cycle.

export type { ScheduledSizes } from "./model/schedule/of-design.js";
export type { ArrayTime, ScheduleResult, StallCause } from "./model/schedule/result.js";
export { type DesignSimulationOptions, simulateDesign } from "./model/schedule/simulate-design.js";
export {
  type EpochRange,
  type Slice,
  type StallSlice,
  scheduleTimeline,
  type Timeline,
} from "./model/schedule/timeline.js";
export { chromeTrace } from "./report/chrome-trace.js";

// The model: cycles, energy, area and traffic.

export type { Accounting } from "./model/accounting.js";
export type { Masking } from "./model/attention-point.js";
export { type CompiledDesign, type CompileOptions, compileDesign } from "./model/compile.js";
export { accountingOf } from "./model/corrections.js";
export { type CostOptions, type CostShape, costOfRun, type RunCost } from "./model/cost.js";
export { type Evaluation, evaluate as evaluateDesign } from "./model/evaluate.js";
export { type PaperEvaluation, type Point, paperEvaluation, type Studies } from "./model/evaluation.js";
export type { Patch } from "./model/patch.js";
export { attentionSizes, type Sizes, sizesOf } from "./model/sizes.js";
export type { ArrayUse, PhaseTiming } from "./model/timing.js";
export type { LayerResult } from "./report/layer-result.js";
export {
  type EinsumResult,
  type ModelFailure,
  type ModelRequest,
  type ModelResult,
  type ModelResults,
  modelResults,
  modelTable,
} from "./report/model-result.js";
export { type Headline, headlines, publishedTables } from "./report/reproduction.js";

// Figures as SVG, tables as text.

export { chart } from "./report/chart.js";
export type { Axis, BarPanel, Figure, PointPanel, PointSeries } from "./report/figure.js";
export { paperFigures } from "./report/figures.js";
export { type Table, textTable } from "./report/table.js";
export type { Theme } from "./report/theme.js";
