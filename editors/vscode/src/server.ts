// How the language server is started: what needs no VS Code, so that it can be tested without one.

/** The settings of the extension, as VS Code has them; anything may stand there. */
export interface Settings {
  readonly command?: unknown;
  readonly snapshot?: unknown;
}

export interface Server {
  readonly command: string;
  readonly args: string[];
}

/** The program to start, and its arguments. Without a usable setting, the one that is on the path. */
export function server(settings: Settings): Server {
  const given = settings.command;
  const words = Array.isArray(given) && given.length > 0 && given.every((word) => typeof word === "string" && word !== "");
  const [command, ...args]: string[] = words ? given : ["seatwarden", "lsp"];
  return { command, args };
}

/** What the server is told at its start, and whenever the settings change. */
export function serverSettings(settings: Settings): { snapshot: string } {
  return { snapshot: typeof settings.snapshot === "string" ? settings.snapshot : "" };
}

/** Whether a text in YAML has license rules in it: for others the server is not started. */
export function hasRules(text: string): boolean {
  return /^\s*(licenseType|neverRelease|licenseRelease)\s*:/m.test(text);
}

/** What to do where the server does not start. */
export function notStarted(command: string): string {
  return `${command} lsp could not be started: install seatwarden and pygls, or name the program in the setting seatwarden.command.`;
}
