/** Elements in one expression. Whatever is said is text: there is no way to pass markup. */

type Child = Node | string | undefined;

/** An element with a class, attributes and children; a child that is undefined is left out. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** An element of the document that the page cannot be without. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the document has no such #${id}`);
}

/** Writes a text if it is another one: untouched nodes cost no layout, and screen readers stay calm. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
