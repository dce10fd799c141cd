import { parsedArguments } from "../../lib/cli/parsed-arguments";
import { UsageError } from "../../lib/cli/usage-error";

const DASHED = "-".padEnd(43, "a");
const OTHER = "b".repeat(43);
const OPTIONS = { by: { type: "string", value: "NAME", help: "who" } } as const;

describe("ids that begin with a dash", () => {
  it("keep their place among the others", () => {
    const { operands, values } = parsedArguments("kill", [DASHED, OTHER, "--by", "jane", DASHED], OPTIONS);
    expect(operands).toEqual([DASHED, OTHER, DASHED]);
    expect(values.get("by")).toBe("jane");
  });

  it("are no values of options", () => {
    expect(() => parsedArguments("kill", ["--by", DASHED], OPTIONS)).toThrow(UsageError);
    expect(parsedArguments("kill", [`--by=${DASHED}`], OPTIONS).values.get("by")).toBe(DASHED);
  });
});
