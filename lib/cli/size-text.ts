const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes in the unit that says most. */
export function sizeText(bytes: number): string {
  const unit = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  return `${unit === 0 ? bytes : (bytes / 1024 ** unit).toFixed(1)} ${UNITS[unit] ?? ""}`;
}
