import { parseAst } from "vite";

/** What may be in an operator's place. */
const operators = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "**": ["*"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "&": ["|"],
  "|": ["&"],
  "^": ["&"],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "&&": ["||"],
  "||": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
  "*=": ["/="],
  "/=": ["*="],
  "|=": ["&="],
  "&=": ["|="],
};

/** Methods in place of others, by name, and those whose call may be left out (its argument or its object stay). */
const methods = { min: "max", max: "min", floor: "ceil", ceil: "floor", trunc: "floor", some: "every", every: "some" };
const passing = new Set(["abs", "fround", "round"]);
const leaving = new Set(["filter", "reverse", "slice", "sort", "toSorted", "toReversed"]);

/**
 * The text of a TypeScript module in which each mutant is in place while `mutant(ID)` is true; IDs count from `first`.
 * @returns {{ code: string, mutants: { id: number, line: number, before: string, after: string }[] }}
 */
export function instrument(source, first) {
  const mutants = [];
  const flat = text => text.replace(/\s+/g, " ");
  /** The text of a node with mutants in its parts, and itself in place of each of `others`. */
  const withOthers = (node, inner, others) => {
    const before = source.slice(node.start, node.end);
    const line = source.slice(0, node.start).split("\n").length;
    const choices = others.map(after => {
      const id = first + mutants.length;
      mutants.push({ id, line, before: flat(before), after: flat(after) });
      return `mutant(${id}) ? (${after}) : `;
    });
    return choices.length === 0 ? inner : `(${choices.join("")}(${inner}))`;
  };
  const textOf = node => source.slice(node.start, node.end);
  const emit = node => {
    const inner = emitParts(node);
    return withOthers(node, inner, othersOf(node, textOf, source));
  };
  /** The text of a node with the mutants of its parts. */
  const emitParts = node => {
    const parts = childrenOf(node);
    let text = "";
    let at = node.start;
    for (const { child, asStatement } of parts) {
      text += source.slice(at, child.start) + (asStatement ? emitParts(child) : emit(child));
      at = child.end;
    }
    return text + source.slice(at, node.end);
  };
  const program = parseAst(source, { lang: "ts" });
  const code = emitParts({ ...program, start: 0, end: source.length });
  return { code: `import { mutant } from "mutants:active";\n${code}`, mutants };
}

/** The nodes below a node, in the order of the text, without types and what no expression may replace. */
function childrenOf(node) {
  const found = [];
  for (const [key, value] of Object.entries(node)) {
    if (skippedKeys.has(key) || value === null || typeof value !== "object") continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child === null || typeof child?.type !== "string" || child.type.startsWith("TS")) {
        const expression = child?.type === "TSAsExpression" || child?.type === "TSSatisfiesExpression";
        if (!expression) continue;
      }
      if (node.type === "Property" && key === "key" && !node.computed) continue;
      if (node.type === "MemberExpression" && key === "property" && !node.computed) continue;
      if (node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration") continue;
      if (node.type === "Property" && node.shorthand) continue;
      // What `??` falls back to is there for the types alone wherever it is a plain number or truth value.
      if (node.operator === "??" && key === "right" && (isNumber(child) || typeof child.value === "boolean")) continue;
      found.push({ child, asStatement: !expressions.has(child.type) });
    }
  }
  return found.sort((a, b) => a.child.start - b.child.start);
}

const skippedKeys = new Set(["typeAnnotation", "returnType", "typeParameters", "typeArguments", "superTypeArguments"]);
const expressions = new Set([
  "BinaryExpression",
  "LogicalExpression",
  "ConditionalExpression",
  "UnaryExpression",
  "AssignmentExpression",
  "Literal",
  "CallExpression",
]);

const isNumber = ({ type, value, argument }) =>
  (type === "Literal" && typeof value === "number") || (type === "UnaryExpression" && isNumber(argument));
const isText = ({ type, value }) => type === "TemplateLiteral" || (type === "Literal" && typeof value === "string");

/** Texts that may be in place of an expression. */
function othersOf(node, textOf, source) {
  // Nodes are without the parentheses around them.
  const between = (a, b, operator) => `(${textOf(a)}) ${operator} (${textOf(b)})`;
  switch (node.type) {
    case "BinaryExpression":
      if (isText(node.left) || isText(node.right)) return node.operator === "+" ? [] : flips(node, between);
      return flips(node, between);
    case "LogicalExpression":
      return flips(node, between);
    case "ConditionalExpression":
      return [textOf(node.consequent), textOf(node.alternate)].filter(text => text !== textOf(node));
    case "UnaryExpression":
      return "-!~".includes(node.operator) ? [textOf(node.argument)] : [];
    case "AssignmentExpression":
      return (operators[node.operator] ?? []).map(operator => between(node.left, node.right, operator));
    case "Literal":
      if (typeof node.value === "boolean") return [String(!node.value)];
      return typeof node.value === "number" ? [`${node.raw} + 1`, `${node.raw} - 1`] : [];
    case "CallExpression":
      return callOthers(node, textOf, source);
    default:
      return [];
  }
}

const flips = ({ operator, left, right }, between) =>
  (operators[operator] ?? []).map(other => between(left, right, other));

function callOthers({ callee, arguments: given, optional, end }, textOf, source) {
  if (callee.type !== "MemberExpression" || callee.computed || optional || callee.optional) return [];
  const { name } = callee.property;
  const rest = source.slice(callee.property.end, end);
  const onMath = textOf(callee.object) === "Math";
  if (onMath && passing.has(name)) return [textOf(given[0])];
  if (Object.hasOwn(methods, name)) return [`(${textOf(callee.object)}).${methods[name]}${rest}`];
  return !onMath && leaving.has(name) ? [textOf(callee.object)] : [];
}
