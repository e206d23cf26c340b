/** See page.mjs. */
export function buildPage(): Promise<string>;
