import type { Output, Streams } from "../terminal";

/** Control sequences of terminals (ECMA-48, and xterm's private modes). */
const SCREEN = {
  /** The other screen, no cursor, and lines that are cut where the screen ends. */
  enter: "\u001b[?1049h\u001b[?25l\u001b[?7l",
  leave: "\u001b[?7h\u001b[?25h\u001b[?1049l",
  home: "\u001b[H",
  restOfLine: "\u001b[K",
  restOfScreen: "\u001b[J",
} as const;
/** Where the terminal does not say how many rows it has, or says 0, as that of a container may. */
const ROWS = 24;

/** A terminal's whole screen, which is drawn again and again, and is what it was before when left. */
export class LiveScreen {
  readonly #output: Output;
  readonly #stdout: Streams["stdout"];

  constructor(output: Output, stdout: Streams["stdout"]) {
    this.#output = output;
    this.#stdout = stdout;
  }

  /** How many lines there is room for now. */
  get rows(): number {
    const { rows = 0 } = this.#stdout;
    return rows > 0 ? rows : ROWS;
  }

  enter(): Promise<void> {
    return this.#output.write(SCREEN.enter);
  }

  /** Shows these lines in the place of those before, without flicker. Lines that there is no room for are left out. */
  draw(lines: readonly string[]): Promise<void> {
    const shown = lines.slice(0, this.rows).map((line) => `${line}${SCREEN.restOfLine}`);
    return this.#output.write(`${SCREEN.home}${shown.join("\n")}${SCREEN.restOfScreen}`);
  }

  leave(): Promise<void> {
    return this.#output.write(SCREEN.leave);
  }
}
