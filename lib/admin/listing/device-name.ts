import Bowser from "bowser";

/**
 * What a person would call the device of a user agent, such as "Firefox on Linux"; the user agent itself where it is no browser that is known.
 * It is what the client said: something to recognise a device by, and nothing to rely on.
 */
export function deviceName(userAgent: string): string {
  if (userAgent === "") return "";
  const { browser, os } = Bowser.parse(userAgent);
  const name = [browser.name, os.name].filter(Boolean).join(" on ");
  return name === "" ? userAgent : name;
}
