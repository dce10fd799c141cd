/**
 * A comparison that ends at the first difference reveals, by its duration, how much of a guess was right. Secrets are
 * compared with `crypto.timingSafeEqual`; this rule reports the other ways to compare two values, one of which is a
 * secret.
 *
 * A secret is recognised by its name (`token`, `passwordHash`, `session.staticKey`), by the function that returns it
 * (`mac(…)`, `hash.digest()`, `derivedKey(…)`), or by being computed from one:
 * `const expected = Buffer.from(mac(key, token))`.
 */

/** The last word of the name of a secret, or of a function that makes one. */
const SECRET = /^(token|secret|password|passphrase|passwd|pwd|signature|mac|hmac|digest|hash|csrf|otp|credential)s?$/;
/** The kinds of keys that are secrets; the key of a dict is not. */
const SECRET_KEY = /^(static|masked|unmasked|security|private|secret|signing|derived|api|session)$/;
/** Functions that return a secret, whatever their names say. */
const MAKERS = new Set(["keyFor", "hashOf", "hkdfSync", "scryptSync", "pbkdf2Sync", "randomBytes"]);
/** What these return is as secret as what they are called on, or are given. */
const COPIES = new Set([
  ...["toString", "slice", "subarray", "substring", "substr", "trim", "toLowerCase", "toUpperCase", "normalize", "at"],
  ...["padStart", "padEnd", "concat", "valueOf", "from", "String", "encode", "decode"],
]);
const OPERATORS = new Set(["==", "!=", "===", "!==", "<", ">", "<=", ">="]);
/** Methods that compare what they are called on with their argument. */
const METHODS = new Set([
  "equals",
  "compare",
  "localeCompare",
  "startsWith",
  "endsWith",
  "includes",
  "indexOf",
  "lastIndexOf",
]);
/** Functions that compare their two arguments: `Buffer.compare`, `Object.is`, `util.isDeepStrictEqual`. */
const FUNCTIONS = new Set([
  "compare",
  "is",
  "isDeepStrictEqual",
  "deepStrictEqual",
  "strictEqual",
  "deepEqual",
  "equal",
]);

/** @type {import("eslint").Rule.RuleModule} */
export const constantTimeComparison = {
  meta: {
    type: "problem",
    docs: { description: "compare secrets with crypto.timingSafeEqual" },
    messages: {
      leaks:
        "The time of this comparison reveals something about {{what}}: compare secrets with crypto.timingSafeEqual.",
    },
    schema: [],
  },
  create(context) {
    const isSecret = secretTeller(context.sourceCode);

    function check(node, ...sides) {
      if (sides.some(tellsNothing)) return;
      const secret = sides.find((side) => isSecret(side));
      if (secret === undefined) return;
      context.report({ node, messageId: "leaks", data: { what: context.sourceCode.getText(secret) } });
    }

    return {
      BinaryExpression(node) {
        if (OPERATORS.has(node.operator)) check(node, node.left, node.right);
      },
      SwitchStatement(node) {
        for (const { test } of node.cases) if (test !== null) check(test, node.discriminant, test);
      },
      CallExpression(node) {
        const [first, second] = node.arguments;
        const name = calledName(node);
        if (FUNCTIONS.has(name) && second !== undefined) check(node, first, second);
        else if (METHODS.has(name) && node.callee.type === "MemberExpression" && first !== undefined)
          check(node, node.callee.object, first);
      },
    };
  },
};

/** Whether an operand can't come from a user: `token === undefined`, `typeof secret !== "string"`. */
function tellsNothing(node) {
  const inner = unwrapped(node);
  if (inner.type === "Literal") return typeof inner.value !== "string" || inner.value.length < 2;
  return inner.type === "UnaryExpression" || (inner.type === "Identifier" && inner.name === "undefined");
}

function secretTeller(sourceCode) {
  return function isSecret(node, seen = new Set()) {
    const inner = unwrapped(node);
    switch (inner.type) {
      case "Identifier":
        return isSecretName(inner.name) || comesFromSecret(inner, seen);
      case "MemberExpression":
        return !inner.computed && isSecretName(inner.property.name ?? "");
      case "CallExpression":
        return isSecretCall(inner, seen);
      case "TemplateLiteral":
        return inner.expressions.some((part) => isSecret(part, seen));
      case "BinaryExpression":
        return inner.operator === "+" && (isSecret(inner.left, seen) || isSecret(inner.right, seen));
      case "LogicalExpression":
        return isSecret(inner.left, seen) || isSecret(inner.right, seen);
      case "ConditionalExpression":
        return isSecret(inner.consequent, seen) || isSecret(inner.alternate, seen);
      default:
        return false;
    }

    function isSecretCall(call, known) {
      const name = calledName(call);
      if (MAKERS.has(name) || isSecretName(name)) return !/^(is|has)[A-Z]/.test(name);
      if (!COPIES.has(name)) return false;
      const from = call.callee.type === "MemberExpression" ? [call.callee.object, ...call.arguments] : call.arguments;
      return from.some((part) => isSecret(part, known));
    }

    /** Whether the variable was set to a secret where it was declared, or later. */
    function comesFromSecret(identifier, known) {
      const variable = variableOf(identifier);
      if (variable === undefined || known.has(variable)) return false;
      known.add(variable);
      return variable.references.some(({ writeExpr }) => writeExpr && isSecret(writeExpr, known));
    }

    function variableOf(identifier) {
      for (let scope = sourceCode.getScope(identifier); scope !== null; scope = scope.upper) {
        const variable = scope.set.get(identifier.name);
        if (variable !== undefined) return variable;
      }
      return undefined;
    }
  };
}

function isSecretName(name) {
  const words = name.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase());
  const last = words.at(-1) ?? "";
  return SECRET.test(last) || (/^keys?$/.test(last) && SECRET_KEY.test(words.at(-2) ?? ""));
}

/** The last part of the name of the called function. */
function calledName({ callee }) {
  const inner = unwrapped(callee);
  if (inner.type === "MemberExpression") return inner.computed ? "" : (inner.property.name ?? "");
  return inner.type === "Identifier" ? inner.name : "";
}

/** The expression without wrappers that change no value. */
function unwrapped(node) {
  let inner = node;
  for (;;) {
    if (["TSAsExpression", "TSNonNullExpression", "TSTypeAssertion", "ChainExpression"].includes(inner.type)) {
      inner = inner.expression;
    } else if (inner.type === "AwaitExpression") inner = inner.argument;
    else return inner;
  }
}
