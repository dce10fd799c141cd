import Bowser from "bowser";

/**
 * What a person would call the device of a user agent, such as "Firefox on Linux"; the user agent itself where the
 * browser is unknown. The client says it, so it serves to recognise a device and proves nothing.
 */
export function deviceName(userAgent: string): string {
  if (userAgent === "") return "";
  const { browser, os } = Bowser.parse(userAgent);
  const name = [browser.name, os.name].filter(Boolean).join(" on ");
  return name === "" ? userAgent : name;
}
