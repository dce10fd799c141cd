/** A process that keeps one core busy until its parent ends it, or is gone. */
function eat(): void {
  for (const end = performance.now() + 100; performance.now() < end;);
  setImmediate(eat);
}

eat();
process.once("disconnect", () => process.exit());
